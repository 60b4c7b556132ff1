//! The plots, as SVG that a page can hold: no style, no script, its ink the colour of the text around it.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::element::{Circle, Cross, PathElement, Rectangle, Text, TriangleMarker};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Each with enough contrast on white and on the dark ground of the site (WCAG 2.2, 1.4.11).
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0x3B, 0x82, 0xE6),
    RGBColor(0xC2, 0x74, 0x12),
    RGBColor(0x14, 0x94, 0x88),
    RGBColor(0x93, 0x6F, 0xE0),
    RGBColor(0xDB, 0x50, 0x5A),
    RGBColor(0x74, 0x86, 0x9E),
];

const WIDTH: u32 = 720;
const HEIGHT: u32 = 380;

type Canvas<'c> = DrawingArea<SVGBackend<'c>, Shift>;
type Drawn = Result<(), String>;

fn fault(error: impl Display) -> String {
    format!("a plot cannot be drawn: {error}")
}

/// A line of a plot.
pub(super) struct Line {
    pub(super) name: String,
    /// Which of the colours; the marks differ with it, since colour alone says nothing to some.
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// What an axis is of, and how its values are written.
pub(super) struct Axis {
    pub(super) name: &'static str,
    pub(super) written: fn(f64) -> String,
}

/// A bar with its name and its value written out.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) colour: usize,
    pub(super) value: f64,
}

/// Horizontal bars, longest value to scale.
pub(super) fn bars(bars: &[Bar], about: &str, written: fn(f64) -> String) -> Result<String, String> {
    const ROW: i32 = 26;
    const LEFT: i32 = 190;
    const ROOM: f64 = 430.0;
    let height = u32::try_from(bars.len()).unwrap_or_default().saturating_mul(ROW.unsigned_abs()) + 16;
    let longest = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    draw((WIDTH, height), about, |canvas| {
        let mut top = 8;
        for bar in bars {
            let end = LEFT + (bar.value / longest * ROOM) as i32;
            let shape = [(LEFT, top + 3), (end, top + ROW - 4)];
            canvas
                .draw(&Rectangle::new(shape, COLOURS[bar.colour % COLOURS.len()].filled()))
                .map_err(fault)?;
            let middle = top + ROW / 2;
            let right = text(15).pos(Pos::new(HPos::Right, VPos::Center));
            let left = text(15).pos(Pos::new(HPos::Left, VPos::Center));
            canvas.draw(&Text::new(bar.name.clone(), (LEFT - 8, middle), right)).map_err(fault)?;
            canvas.draw(&Text::new(written(bar.value), (end + 8, middle), left)).map_err(fault)?;
            top += ROW;
        }
        Ok(())
    })
}

/// Lines over two plain axes that begin at 0.
pub(super) fn lines(lines: &[Line], about: &str, x: &Axis, y: &Axis) -> Result<String, String> {
    let (right, top) = (largest(lines, |point| point.0), largest(lines, |point| point.1));
    let ranges = (0.0..right * 1.02, 0.0..top * 1.08);
    chart(lines, about, (x, y), ranges, SeriesLabelPosition::UpperRight)
}

/// Lines over two axes that go up by factors.
pub(super) fn log_lines(lines: &[Line], about: &str, x: &Axis, y: &Axis) -> Result<String, String> {
    let smallest = |of: fn(&(f64, f64)) -> f64| {
        lines
            .iter()
            .flat_map(|line| &line.points)
            .map(of)
            .filter(|value| *value > 0.0)
            .fold(f64::MAX, f64::min)
    };
    let (left, bottom) = (smallest(|point| point.0), smallest(|point| point.1));
    let (right, top) = (largest(lines, |point| point.0), largest(lines, |point| point.1));
    if left >= right || bottom >= top {
        return Err(fault("there are no two values to draw"));
    }
    let ranges = ((left..right * 1.02).log_scale(), (bottom * 0.8..top * 1.25).log_scale());
    chart(lines, about, (x, y), ranges, SeriesLabelPosition::LowerRight)
}

fn largest(lines: &[Line], of: fn(&(f64, f64)) -> f64) -> f64 {
    lines.iter().flat_map(|line| &line.points).map(of).fold(f64::MIN_POSITIVE, f64::max)
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

fn chart<X, Y>(
    lines: &[Line],
    about: &str,
    (x, y): (&Axis, &Axis),
    (across, up): (X, Y),
    legend: SeriesLabelPosition,
) -> Result<String, String>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    draw((WIDTH, HEIGHT), about, |canvas| {
        let mut chart = ChartBuilder::on(canvas)
            .margin(12)
            .margin_right(24)
            .x_label_area_size(44)
            .y_label_area_size(68)
            .build_cartesian_2d(across, up)
            .map_err(fault)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.18))
            .axis_style(BLACK.mix(0.6))
            .label_style(text(14))
            .axis_desc_style(text(14))
            .x_desc(x.name)
            .y_desc(y.name)
            .y_labels(7)
            .x_label_formatter(&|value| (x.written)(*value))
            .y_label_formatter(&|value| (y.written)(*value))
            .draw()
            .map_err(fault)?;
        for line in lines {
            let colour = COLOURS[line.colour % COLOURS.len()];
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style))
                .map_err(fault)?
                .label(line.name.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            // A mark now and then tells the lines apart; each has its own shape.
            let marks = line.points.iter().copied().step_by((line.points.len() / 6).max(1));
            let drawn = match line.colour % 3 {
                0 => chart.draw_series(marks.map(|at| Circle::new(at, 4, colour.filled()))).map(drop),
                1 => chart.draw_series(marks.map(|at| TriangleMarker::new(at, 6, colour.filled()))).map(drop),
                _ => chart.draw_series(marks.map(|at| Cross::new(at, 4, style))).map(drop),
            };
            drawn.map_err(fault)?;
        }
        chart.configure_series_labels().position(legend).label_font(text(14)).margin(8).draw().map_err(fault)
    })
}

fn draw(size: (u32, u32), about: &str, paint: impl FnOnce(&Canvas<'_>) -> Drawn) -> Result<String, String> {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&canvas)?;
        canvas.present().map_err(fault)?;
    }
    Ok(for_a_page(&svg, size, about))
}

/// Names the picture, and gives black the colour of the text around it, be that dark or light.
fn for_a_page(svg: &str, (width, height): (u32, u32), about: &str) -> String {
    let drawn = svg.split_once('>').map_or("", |(_, drawn)| drawn).replace("#000000", "currentColor");
    let about = about.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!(
        "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{about}\" \
         xmlns=\"http://www.w3.org/2000/svg\">{drawn}"
    )
}

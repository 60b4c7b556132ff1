//! Lines over two axes, with the key to them above, where nothing crosses it.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::element::{EmptyElement, PathElement, Polygon, Text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::svg::{Canvas, Drawn, WIDTH, Whose, draw, fault, text, width_of};

const HEIGHT: u32 = 270;
/// The key: the height of a row, and where a name stands after the sample of its line.
const ROW: i32 = 20;
const SAMPLE: i32 = 30;

/// A line of a chart.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) whose: Whose,
    /// Of two lines of one store, the second is dashed.
    pub(super) dashed: bool,
    pub(super) points: Vec<(f64, f64)>,
}

/// What an axis is of, and how its values are written.
pub(super) struct Axis {
    pub(super) name: &'static str,
    pub(super) written: fn(f64) -> String,
}

/// Lines over two plain axes that begin at 0.
pub(super) fn lines(lines: &[Line], about: &str, x: &Axis, y: &Axis) -> Result<String, String> {
    let (right, top) = (largest(lines, |point| point.0), largest(lines, |point| point.1));
    let ranges = (0.0..right * 1.02, 0.0..top * 1.08);
    chart(lines, about, (x, y), ranges)
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
    let (bottom, top) = (bottom * 0.8, top * 1.25);
    let up = (bottom..top).log_scale().with_key_points(steps(bottom, top));
    chart(lines, about, (x, y), ((left..right * 1.02).log_scale(), up))
}

/// The numbers 1, 2 and 5 of every power of ten between these.
fn steps(bottom: f64, top: f64) -> Vec<f64> {
    let powers = (bottom.log10().floor() as i32..=top.log10().ceil() as i32).map(|power| 10_f64.powi(power));
    let all = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
    all.filter(|step| (bottom..=top).contains(step)).collect()
}

fn largest(lines: &[Line], of: fn(&(f64, f64)) -> f64) -> f64 {
    lines.iter().flat_map(|line| &line.points).map(of).fold(f64::MIN_POSITIVE, f64::max)
}

fn chart<X, Y>(
    lines: &[Line],
    about: &str,
    (x, y): (&Axis, &Axis),
    (across, up): (X, Y),
) -> Result<String, String>
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let above = pixels(lines.len().div_ceil(across_of_key(lines))).saturating_mul(ROW);
    draw((WIDTH, HEIGHT + above.unsigned_abs()), about, |canvas| {
        let (upper, lower) = canvas.split_vertically(above);
        key(&upper, lines)?;
        let mut chart = ChartBuilder::on(&lower)
            .margin_top(10)
            .margin_right(20)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(across, up)
            .map_err(fault)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.18))
            .axis_style(BLACK.mix(0.6))
            .label_style(text())
            .axis_desc_style(text())
            .x_desc(x.name)
            .y_desc(y.name)
            .x_labels(5)
            .y_labels(7)
            .x_label_formatter(&|value| (x.written)(*value))
            .y_label_formatter(&|value| (y.written)(*value))
            .draw()
            .map_err(fault)?;
        for line in lines {
            let colour = line.whose.colour();
            let style = colour.stroke_width(2);
            let points = line.points.iter().copied();
            let drawn = if line.dashed {
                chart.draw_series(DashedLineSeries::new(points, 6, 4, style)).map(drop)
            } else {
                chart.draw_series(LineSeries::new(points, style)).map(drop)
            };
            drawn.map_err(fault)?;
            // A mark now and then tells the lines apart.
            let marks = line.points.iter().copied().step_by((line.points.len() / 6).max(1));
            let mark = |at| EmptyElement::at(at) + Polygon::new(line.whose.mark(), colour.filled());
            chart.draw_series(marks.map(mark)).map_err(fault)?;
        }
        Ok(())
    })
}

/// The names of the lines, each after a piece of its line with its mark.
fn key(canvas: &Canvas<'_>, lines: &[Line]) -> Drawn {
    let style = text().pos(Pos::new(HPos::Left, VPos::Center));
    let across = across_of_key(lines);
    for (number, line) in lines.iter().enumerate() {
        let left = 4 + pixels(number % across) * width_of_entry(across);
        let middle = pixels(number / across) * ROW + ROW / 2;
        let colour = line.whose.colour();
        let stroke = colour.stroke_width(2);
        let pieces = if line.dashed { &[(0, 5), (9, 15), (19, 24)][..] } else { &[(0, 24)] };
        for (from, to) in pieces {
            let piece = [(left + from, middle), (left + to, middle)];
            canvas.draw(&PathElement::new(piece, stroke)).map_err(fault)?;
        }
        let mark = EmptyElement::at((left + 12, middle)) + Polygon::new(line.whose.mark(), colour.filled());
        canvas.draw(&mark).map_err(fault)?;
        let name = (left + SAMPLE, middle);
        canvas.draw(&Text::new(line.name.clone(), name, style.clone())).map_err(fault)?;
    }
    Ok(())
}

/// How many names stand in a row of the key: two where all of them are short enough.
fn across_of_key(lines: &[Line]) -> usize {
    let room = f64::from(width_of_entry(2) - SAMPLE);
    if lines.iter().all(|line| width_of(&line.name) <= room) { 2 } else { 1 }
}

fn width_of_entry(across: usize) -> i32 {
    pixels(WIDTH as usize / across)
}

fn pixels(count: usize) -> i32 {
    i32::try_from(count).unwrap_or_default()
}

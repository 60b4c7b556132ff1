//! Lines over two axes, with the key to them above, where nothing crosses it.

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::element::{Circle, Cross, PathElement, Text, TriangleMarker};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::svg::{Canvas, Drawn, Whose, draw, fault, text};

/// As wide as a phone shows it nearly without making it smaller.
const WIDTH: u32 = 400;
const HEIGHT: u32 = 300;
/// The key: how many names stand in a row, how wide each may be, and how high the row is.
const ACROSS: usize = 2;
const ENTRY: i32 = 200;
const ROW: i32 = 20;

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
    let ranges = ((left..right * 1.02).log_scale(), (bottom * 0.8..top * 1.25).log_scale());
    chart(lines, about, (x, y), ranges)
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
    let rows = i32::try_from(lines.len().div_ceil(ACROSS)).unwrap_or_default();
    let above = rows.saturating_mul(ROW);
    draw((WIDTH, HEIGHT + above.unsigned_abs()), about, |canvas| {
        let (upper, lower) = canvas.split_vertically(above);
        key(&upper, lines)?;
        let mut chart = ChartBuilder::on(&lower)
            .margin_top(10)
            .margin_right(18)
            .x_label_area_size(40)
            .y_label_area_size(58)
            .build_cartesian_2d(across, up)
            .map_err(fault)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.18))
            .axis_style(BLACK.mix(0.6))
            .label_style(text(12))
            .axis_desc_style(text(12))
            .x_desc(x.name)
            .y_desc(y.name)
            .x_labels(6)
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
            // A mark now and then tells the lines apart; each store has its own shape.
            let marks = line.points.iter().copied().step_by((line.points.len() / 6).max(1));
            let drawn = match line.whose.number() % 3 {
                0 => chart.draw_series(marks.map(|at| Circle::new(at, 4, colour.filled()))).map(drop),
                1 => chart.draw_series(marks.map(|at| TriangleMarker::new(at, 6, colour.filled()))).map(drop),
                _ => chart.draw_series(marks.map(|at| Cross::new(at, 4, style))).map(drop),
            };
            drawn.map_err(fault)?;
        }
        Ok(())
    })
}

/// The names of the lines, each after a piece of its line with its mark.
fn key(canvas: &Canvas<'_>, lines: &[Line]) -> Drawn {
    let style = text(12).pos(Pos::new(HPos::Left, VPos::Center));
    for (number, line) in lines.iter().enumerate() {
        let at = |count: usize| i32::try_from(count).unwrap_or_default();
        let (left, middle) = (4 + at(number % ACROSS) * ENTRY, at(number / ACROSS) * ROW + ROW / 2);
        let colour = line.whose.colour();
        let stroke = colour.stroke_width(2);
        let pieces = if line.dashed { &[(0, 5), (9, 15), (19, 24)][..] } else { &[(0, 24)] };
        for (from, to) in pieces {
            let piece = [(left + from, middle), (left + to, middle)];
            canvas.draw(&PathElement::new(piece, stroke)).map_err(fault)?;
        }
        let mark = (left + 12, middle);
        match line.whose.number() % 3 {
            0 => canvas.draw(&Circle::new(mark, 4, colour.filled())).map_err(fault)?,
            1 => canvas.draw(&TriangleMarker::new(mark, 6, colour.filled())).map_err(fault)?,
            _ => canvas.draw(&Cross::new(mark, 4, stroke)).map_err(fault)?,
        }
        canvas.draw(&Text::new(line.name.clone(), (left + 30, middle), style.clone())).map_err(fault)?;
    }
    Ok(())
}

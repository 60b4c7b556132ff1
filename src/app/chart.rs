//! How what a request carries grows with the session, one line for each store.

use serde::Serialize;

use crate::lab::Outcome;
use crate::lab::load::grouped;

/// The picture, and the plot within it.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 210.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 298.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 166.0;

/// The lines of all stores on one scale.
#[derive(Serialize)]
pub(super) struct Chart {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// Where numbers stand along the axes, in bytes of data and in bytes of a request.
    across: Vec<Tick>,
    up: Vec<Tick>,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Tick {
    at: f64,
    text: String,
}

#[derive(Serialize)]
struct Line {
    /// The stores that it is of.
    stores: String,
    slot: usize,
    /// As SVG has them.
    points: String,
    /// The largest data that was kept, and what a request carried then.
    data: String,
    up: String,
    /// Whether more was refused.
    is_cut: bool,
}

/// Draws what an experiment measured of sizes; `None` if it measured something else.
pub(super) fn of(outcomes: &[Outcome]) -> Option<Chart> {
    let measured: Vec<Kept<'_>> = outcomes.iter().filter_map(Kept::of).collect();
    let all = || measured.iter().flat_map(|kept| &kept.points);
    let most_data = all().map(|(data, _)| *data).max().filter(|most| *most > 0)?;
    let most_up = all().map(|(_, up)| *up).max().filter(|most| *most > 0)?;
    let x = |data: u64| LEFT + (RIGHT - LEFT) * data as f64 / most_data as f64;
    let y = |up: u64| BOTTOM - (BOTTOM - TOP) * up as f64 / most_up as f64;
    let place = |(data, up): &(u64, u64)| format!("{:.1},{:.1}", x(*data), y(*up));
    let line = |(slot, kept): (usize, &Kept<'_>)| {
        let (data, up) = kept.points.last().copied().unwrap_or_default();
        let points = kept.points.iter().map(place).collect::<Vec<_>>().join(" ");
        let stores = kept.stores.join(" and ");
        Line { stores, slot, points, data: written(data), up: written(up), is_cut: kept.is_cut }
    };
    let lines = (1..).zip(&together(&measured)).map(line).collect();
    let tick = |at: f64, value| Tick { at: (at * 10.0).round() / 10.0, text: written(value) };
    let across = steps(most_data).map(|data| tick(x(data), data)).collect();
    let up = steps(most_up).map(|up| tick(y(up), up)).collect();
    let (left, right, top, bottom) = (LEFT, RIGHT, TOP, BOTTOM);
    Some(Chart { width: WIDTH, height: HEIGHT, left, right, top, bottom, across, up, lines })
}

fn written(bytes: u64) -> String {
    grouped(bytes as f64)
}

/// At most five round numbers from 0 to this one.
fn steps(most: u64) -> impl Iterator<Item = u64> {
    let powers = (0..19).map(|power| 10_u64.pow(power));
    let rounds = powers.flat_map(|power| [power, 2 * power, 5 * power]);
    let step = rounds.into_iter().find(|step| most / step <= 4).unwrap_or(most.max(1));
    (0..=most / step).map(move |number| number * step)
}

/// What carries the same as one, since its lines would hide each other.
fn together<'o>(all: &[Kept<'o>]) -> Vec<Kept<'o>> {
    let mut lines: Vec<Kept<'o>> = Vec::new();
    for kept in all {
        match lines.iter_mut().find(|line| line.points == kept.points && line.is_cut == kept.is_cut) {
            Some(line) => line.stores.extend(&kept.stores),
            None => lines.push(kept.clone()),
        }
    }
    lines
}

/// The sizes that stores have kept, with what a request carries then.
#[derive(Clone)]
struct Kept<'o> {
    stores: Vec<&'o str>,
    points: Vec<(u64, u64)>,
    /// Whether it has refused larger ones.
    is_cut: bool,
}

impl Kept<'_> {
    fn of(outcome: &Outcome) -> Option<Kept<'_>> {
        let measurements = &outcome.measurements;
        let is_of_sizes = measurements.head.first() == Some(&"Data")
            && measurements.head.get(1).is_some_and(|head| head.starts_with("Up"));
        let number = |row: &[String], column: usize| row.get(column)?.parse().ok();
        let is_kept = |row: &&Vec<String>| row.last().is_some_and(|outcome| outcome == "kept");
        let points = measurements.rows.iter().take_while(is_kept);
        let points: Vec<_> = points.filter_map(|row| Some((number(row, 0)?, number(row, 1)?))).collect();
        let is_cut = points.len() < measurements.rows.len();
        (is_of_sizes && !points.is_empty()).then_some(Kept { stores: vec![&outcome.store], points, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Measurements, Verdict};

    fn outcome(store: &str, rows: &[[&str; 3]]) -> Outcome {
        let rows = rows.iter().map(|row| row.map(String::from).to_vec()).collect();
        let head = &["Data", "Up, each request", "Outcome"];
        let measurements = Measurements { caption: "Bytes", head, rows };
        let verdict = Verdict::Holds(String::new());
        Outcome { store: store.into(), verdict, exchanges: Vec::new(), measurements }
    }

    #[test]
    fn a_line_ends_where_more_is_refused() {
        let cut = outcome(
            "cookie",
            &[["0", "1000", "kept"], ["500", "2000", "kept"], ["1000", "0", "refused: 500"]],
        );
        let whole = outcome("memory", &[["0", "90", "kept"], ["500", "90", "kept"], ["1000", "90", "kept"]]);
        let chart = of(&[cut, whole]).unwrap();
        let [cut, whole] = &chart.lines[..] else { panic!("two lines") };
        assert_eq!((cut.data.as_str(), cut.up.as_str(), cut.is_cut), ("500", "2,000", true));
        assert_eq!((whole.data.as_str(), whole.up.as_str(), whole.is_cut), ("1,000", "90", false));
        assert_eq!(cut.points, "48.0,96.0 173.0,26.0");
    }

    #[test]
    fn stores_that_carry_the_same_share_a_line_with_both_names() {
        let rows = [["0", "90", "kept"], ["1000", "90", "kept"]];
        let chart = of(&[outcome("memory", &rows), outcome("sqlite", &rows)]).unwrap();
        let names: Vec<&str> = chart.lines.iter().map(|line| line.stores.as_str()).collect();
        assert_eq!(names, ["memory and sqlite"]);
    }

    #[test]
    fn the_axes_have_a_few_round_numbers() {
        assert_eq!(steps(16_384).collect::<Vec<_>>(), [0, 5_000, 10_000, 15_000]);
        assert_eq!(steps(5_628).collect::<Vec<_>>(), [0, 2_000, 4_000]);
        assert_eq!(steps(3).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn what_measures_something_else_has_no_chart() {
        assert!(of(&[]).is_none());
        assert!(of(&[Outcome { measurements: Measurements::default(), ..outcome("cookie", &[]) }]).is_none());
    }
}

//! How what a request carries grows with the session, one line for each store.

use serde::Serialize;

use crate::lab::Outcome;

/// The picture, and the plot within it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 162.0;

/// The lines of all stores on one scale.
#[derive(Serialize)]
pub(super) struct Chart {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// The ends of both scales, in bytes.
    most_data: u64,
    most_up: u64,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    store: String,
    slot: usize,
    /// As SVG has them.
    points: String,
    /// The largest data that was kept, and what a request carried then.
    data: u64,
    up: u64,
    /// Whether more was refused.
    is_cut: bool,
}

/// Draws what an experiment measured of sizes; `None` if it measured something else.
pub(super) fn of(outcomes: &[Outcome]) -> Option<Chart> {
    let measured: Vec<Kept<'_>> = outcomes.iter().filter_map(Kept::of).collect();
    let all = || measured.iter().flat_map(|kept| &kept.points);
    let most_data = all().map(|(data, _)| *data).max().filter(|most| *most > 0)?;
    let most_up = all().map(|(_, up)| *up).max().filter(|most| *most > 0)?;
    let place = |(data, up): &(u64, u64)| {
        let x = LEFT + (RIGHT - LEFT) * *data as f64 / most_data as f64;
        let y = BOTTOM - (BOTTOM - TOP) * *up as f64 / most_up as f64;
        format!("{x:.1},{y:.1}")
    };
    let line = |(slot, kept): (usize, &Kept<'_>)| {
        let (data, up) = kept.points.last().copied().unwrap_or_default();
        let points = kept.points.iter().map(place).collect::<Vec<_>>().join(" ");
        Line { store: kept.store.to_owned(), slot, points, data, up, is_cut: kept.is_cut }
    };
    let lines = (1..).zip(&measured).map(line).collect();
    let (left, right, top, bottom) = (LEFT, RIGHT, TOP, BOTTOM);
    Some(Chart { width: WIDTH, height: HEIGHT, left, right, top, bottom, most_data, most_up, lines })
}

/// The sizes that a store has kept, with what a request carries then.
struct Kept<'o> {
    store: &'o str,
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
        (is_of_sizes && !points.is_empty()).then_some(Kept { store: &outcome.store, points, is_cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Measurements, Verdict};

    fn outcome(rows: &[[&str; 3]]) -> Outcome {
        let rows = rows.iter().map(|row| row.map(String::from).to_vec()).collect();
        let head = &["Data", "Up, each request", "Outcome"];
        let measurements = Measurements { caption: "Bytes", head, rows };
        Outcome {
            store: "cookie".into(),
            verdict: Verdict::Holds(String::new()),
            exchanges: Vec::new(),
            measurements,
        }
    }

    #[test]
    fn a_line_ends_where_more_is_refused() {
        let chart = of(&[
            outcome(&[["0", "100", "kept"], ["50", "200", "kept"], ["100", "0", "refused: 500"]]),
            outcome(&[["0", "90", "kept"], ["50", "90", "kept"], ["100", "90", "kept"]]),
        ])
        .unwrap();
        assert_eq!((chart.most_data, chart.most_up), (100, 200));
        let [cut, whole] = &chart.lines[..] else { panic!("two lines") };
        assert_eq!((cut.data, cut.up, cut.is_cut), (50, 200, true));
        assert_eq!((whole.data, whole.up, whole.is_cut), (100, 90, false));
        assert_eq!(cut.points, "44.0,87.0 197.0,12.0");
    }

    #[test]
    fn what_measures_something_else_has_no_chart() {
        assert!(of(&[]).is_none());
        assert!(of(&[Outcome { measurements: Measurements::default(), ..outcome(&[]) }]).is_none());
    }
}

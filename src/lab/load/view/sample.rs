//! A picture for a page that has no run to show yet.

use super::bars::{Bar, Group, bars};
use super::format::digits;
use super::svg::Whose;

/// The run of a release build that the README describes, on two cores: requests per second.
const BARE: f64 = 106_541.0;
const MIXES: [(&str, [f64; 3]); 4] = [
    ("Read only", [92_371.0, 79_962.0, 49_711.0]),
    ("Read-heavy", [90_773.0, 83_912.0, 50_593.0]),
    ("Write-heavy", [85_373.0, 84_355.0, 27_971.0]),
    ("Login", [87_136.0, 91_235.0, 42_771.0]),
];
/// The stores with their numbers among those that are driven unless others are named.
const STORES: [(&str, usize); 3] = [("cookie", 0), ("memory", 2), ("sqlite", 3)];

/// What a run would be drawn like.
///
/// # Errors
/// When it cannot be drawn.
pub fn sample() -> Result<String, String> {
    let bar = |((name, number), value): ((&str, usize), f64)| {
        let text = format!("{}, {:.0}% of bare", digits(value, 2), 100.0 * value / BARE);
        Bar { name: name.into(), whose: Whose::Store(number), value, text }
    };
    let bare = Bar { name: "no session".into(), whose: Whose::Bare, value: BARE, text: digits(BARE, 2) };
    let mixes = MIXES.map(|(name, values)| Group {
        name: name.into(),
        bars: STORES.into_iter().zip(values).map(bar).collect(),
    });
    let groups: Vec<Group> =
        std::iter::once(Group { name: "Bare route".into(), bars: vec![bare] }).chain(mixes).collect();
    bars(&groups, "A sample of the bars: requests per second of each mix of requests on each store.")
}

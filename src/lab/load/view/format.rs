//! How numbers and names are written in a report.

use crate::lab::load::measure::Spread;
use crate::lab::load::report::AtRest;

/// No figure of a run is known better than this, however near to each other its rounds are.
const MAX_DIGITS: i32 = 3;

/// The median of some rounds, with the digits that their spread leaves of it: 91,000 if the rounds are thousands apart.
pub(in crate::lab::load) fn median(spread: &Spread) -> String {
    with_unit(spread.median, unit(spread))
}

/// The least and the most of some rounds, with as many digits as their median.
pub(in crate::lab::load) fn range(spread: &Spread) -> String {
    let unit = unit(spread);
    format!("{} to {}", with_unit(spread.least, unit), with_unit(spread.most, unit))
}

/// The place of the last digit that means something, as a power of ten.
fn unit(spread: &Spread) -> i32 {
    if spread.most <= 0.0 {
        return 0;
    }
    let place = |value: f64| value.max(f64::MIN_POSITIVE).log10().floor() as i32;
    let first = place(spread.most);
    place(spread.most - spread.least).clamp(first + 1 - MAX_DIGITS, first - 1)
}

fn with_unit(value: f64, unit: i32) -> String {
    let power = 10_f64.powi(unit);
    let rounded = (value / power).round() * power;
    if unit < 0 { format!("{rounded:.*}", unit.unsigned_abs() as usize) } else { grouped(rounded) }
}

/// Microseconds as milliseconds.
pub(super) fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1000.0)
}

pub(super) fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

/// Rounded to a whole number, with thousands separated.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// With so many significant digits, without zeros after the point.
pub(in crate::lab::load) fn digits(value: f64, count: i32) -> String {
    if value <= 0.0 || !value.is_finite() {
        return "0".into();
    }
    let unit = value.log10().floor() as i32 + 1 - count;
    let text = with_unit(value, unit);
    if text.contains('.') { without_zeros(&text) } else { text }
}

/// With three significant digits, millions as such.
pub(in crate::lab::load) fn short(value: f64) -> String {
    if value < 999_500.0 { digits(value, 3) } else { format!("{} M", digits(value / 1e6, 3)) }
}

/// Bytes, with three significant digits.
pub(in crate::lab::load) fn short_bytes(value: f64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.into_iter().find(|(unit, _)| value >= *unit);
    let (unit, name) = unit.unwrap_or((1.0, "bytes"));
    format!("{} {name}", digits(value / unit, 3))
}

/// The bytes that a session takes on the server, or why there are none to tell.
pub(in crate::lab::load) fn bytes_at_rest(at_rest: &AtRest) -> String {
    if at_rest.is_nothing() {
        "nothing".into()
    } else if at_rest.is_telling() {
        grouped(at_rest.bytes_per_session)
    } else {
        "too few sessions to tell".into()
    }
}

/// At most three decimals, without trailing zeros.
pub(super) fn trimmed(value: f64) -> String {
    without_zeros(&format!("{value:.3}"))
}

/// At most two decimals, without trailing zeros.
pub(super) fn rounded(value: f64) -> String {
    without_zeros(&format!("{value:.2}"))
}

fn without_zeros(decimal: &str) -> String {
    decimal.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_the_digits_that_its_rounds_agree_on() {
        for (least, middle, most, text, from_to) in [
            (88_123.0, 90_773.0, 93_411.0, "91,000", "88,000 to 93,000"),
            (60_123.0, 90_773.0, 93_411.0, "91,000", "60,000 to 93,000"),
            (90_770.0, 90_773.0, 90_779.0, "90,800", "90,800 to 90,800"),
            (10.71, 10.92, 11.23, "10.9", "10.7 to 11.2"),
            (0.971, 0.982, 0.99, "0.98", "0.97 to 0.99"),
            (9.0, 9.31, 9.31, "9.3", "9.0 to 9.3"),
            (0.0, 0.0, 0.0, "0", "0 to 0"),
        ] {
            let spread = Spread { median: middle, least, most };
            assert_eq!((median(&spread), range(&spread)), (text.to_owned(), from_to.to_owned()));
        }
    }

    #[test]
    fn a_figure_of_few_sessions_is_none() {
        let read = |sessions, bytes_per_session, place: &str| {
            bytes_at_rest(&AtRest { sessions, bytes_per_session, data: 0, place: place.into() })
        };
        assert_eq!(read(100_000, 1234.0, "file"), "1,234");
        assert_eq!(read(1_000, 1234.0, "file"), "too few sessions to tell");
        assert_eq!(read(100_000, 0.0, "memory"), "too few sessions to tell");
        assert_eq!(bytes_at_rest(&AtRest::nothing()), "nothing");
    }
}

//! How numbers and names are written in a report.

use crate::lab::load::report::AtRest;

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
    fn a_figure_of_few_sessions_is_none() {
        let read = |sessions, bytes_per_session, place: &str| {
            bytes_at_rest(&AtRest { sessions, bytes_per_session, place: place.into() })
        };
        assert_eq!(read(100_000, 1234.0, "file"), "1,234");
        assert_eq!(read(1_000, 1234.0, "file"), "too few sessions to tell");
        assert_eq!(read(100_000, 0.0, "memory"), "too few sessions to tell");
        assert_eq!(bytes_at_rest(&AtRest::nothing()), "nothing");
    }
}

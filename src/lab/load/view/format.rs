//! How numbers and names are written in a report.

/// Microseconds as milliseconds.
pub(super) fn millis(micros: f64) -> String {
    format!("{:.2}", micros / 1000.0)
}

pub(super) fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

/// Rounded to a whole number, with thousands separated.
pub(in crate::lab::load) fn grouped(value: f64) -> String {
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

/// At most three decimals, without trailing zeros.
pub(super) fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

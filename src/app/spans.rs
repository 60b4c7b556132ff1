//! Lengths of time in words.

use time::OffsetDateTime;

/// A length of time, rounded to its largest unit: "29 minutes".
pub(super) fn span(seconds: i64) -> String {
    let rounded = |unit: i64| seconds.saturating_add(unit / 2) / unit;
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7200 => (rounded(60), "minute"),
        7200..172_800 => (rounded(3600), "hour"),
        _ => (rounded(86400), "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How far a moment is from now, in one unit. What is left of a last second is not called "now" yet.
pub(super) fn until(moment: OffsetDateTime, now: OffsetDateTime) -> String {
    let ahead = moment - now;
    match ahead.whole_seconds() {
        0 if ahead.is_positive() => format!("in {}", span(1)),
        0 => "now".into(),
        seconds @ 1.. => format!("in {}", span(seconds)),
        seconds => format!("{} ago", span(seconds.saturating_neg())),
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::until;

    #[test]
    fn a_moment_is_now_from_when_it_has_come_until_a_second_has_passed() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (ahead, told) in [
            (Duration::minutes(30), "in 30 minutes"),
            (Duration::milliseconds(1), "in 1 second"),
            (Duration::ZERO, "now"),
            (Duration::milliseconds(-999), "now"),
            (Duration::seconds(-1), "1 second ago"),
        ] {
            assert_eq!(until(now + ahead, now), told, "{ahead}");
        }
    }
}

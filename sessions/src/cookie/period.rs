//! Periods of the setting `key_rollover`, each with a key of its own, and how a value says which key sealed it.
//!
//! Such a value begins with `-LENGTH-NUMBER-TAG`: the period's length in minutes and its number since 1970, both
//! hexadecimal, and two letters that tell the keys of a keyring apart. A hyphen is not base64, so this is never taken for
//! a value that the key itself has sealed. The id is bound to the seal.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::clock::UnixSeconds;
use crate::record::timeouts::MAX_SKEW;

const MINUTE: UnixSeconds = 60;

/// The shortest period, in minutes: 2³² seals in it are 7 million a second. Of 30 days of them, 4320 open.
const MIN_LENGTH: UnixSeconds = 10;
/// The longest period, in minutes.
const MAX_LENGTH: UnixSeconds = 365 * 24 * 60;

/// How many letters the tag has.
pub(super) const TAG_LETTERS: usize = 2;

const MARK: char = '-';

/// How long each period is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PeriodLength(UnixSeconds);

impl PeriodLength {
    /// `None` for a length that is not accepted.
    pub(super) fn of_minutes(minutes: UnixSeconds) -> Option<PeriodLength> {
        (MIN_LENGTH..=MAX_LENGTH).contains(&minutes).then_some(PeriodLength(minutes * MINUTE))
    }

    /// The period of this moment. Every node that has the same time and length is in the same one.
    pub(super) fn period(self, now: UnixSeconds) -> Period {
        Period::new(self.0, now.max(0) / self.0)
    }
}

/// A period. Of two, the one that ends first comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Period {
    end: UnixSeconds,
    length: UnixSeconds,
}

impl Period {
    fn new(length: UnixSeconds, number: UnixSeconds) -> Period {
        Period { end: number.saturating_add(1).saturating_mul(length), length }
    }

    /// Its first second.
    pub(crate) fn start(&self) -> UnixSeconds {
        self.end.saturating_sub(self.length)
    }

    /// The first second after it.
    pub(crate) fn end(&self) -> UnixSeconds {
        self.end
    }

    /// Its length in minutes, and how many of this length have passed since 1970.
    pub(super) fn coordinates(&self) -> [UnixSeconds; 2] {
        [self.length / MINUTE, self.start() / self.length]
    }

    /// Whether what it has sealed opens at `now`: from its start, which another node's clock may reach sooner, until no
    /// session can be left of it. The latest one was opened just before its end, and lives for `lifetime` at most.
    pub(super) fn is_open(&self, now: UnixSeconds, lifetime: UnixSeconds) -> bool {
        let last = self.end.saturating_add(lifetime).saturating_add(MAX_SKEW);
        self.start() <= now.saturating_add(MAX_SKEW) && now < last
    }
}

/// Which key a value says it was sealed by.
#[derive(Clone, Copy)]
pub(crate) struct KeyId<'v> {
    /// As it was sent: what the seal is bound to.
    pub(super) text: &'v str,
    pub(crate) period: Period,
    pub(super) tag: &'v str,
}

impl<'v> KeyId<'v> {
    /// Whether a value begins with the id of a key, well-formed or not.
    pub(crate) fn begins(value: &str) -> bool {
        value.starts_with(MARK)
    }

    /// Splits a value into the id of its key and what that key has sealed, in base64.
    pub(crate) fn split(value: &'v str) -> Option<(KeyId<'v>, &'v str)> {
        let (length, rest) = value.strip_prefix(MARK)?.split_once(MARK)?;
        let (number, rest) = rest.split_once(MARK)?;
        let (tag, sealed) = rest.split_at_checked(TAG_LETTERS)?;
        let text = value.strip_suffix(sealed)?;
        let PeriodLength(length) = PeriodLength::of_minutes(hexadecimal(length)?)?;
        let period = Period::new(length, hexadecimal(number)?);
        Some((KeyId { text, period, tag }, sealed))
    }

    /// The id of the key of this period and tag, as it stands before a value.
    pub(super) fn written(period: Period, tag: &str) -> String {
        let [length, number] = period.coordinates();
        format!("{MARK}{length:x}{MARK}{number:x}{MARK}{tag}")
    }
}

/// A number as [`KeyId::written`] writes it. Eight digits are enough until the year 80,000.
fn hexadecimal(digits: &str) -> Option<UnixSeconds> {
    let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { UnixSeconds::from_str_radix(digits, 16).ok() } else { None }
}

/// The setting `key_rollover`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRollover(pub(crate) Option<PeriodLength>);

impl<'de> Deserialize<'de> for KeyRollover {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeyRollover, D::Error> {
        deserializer.deserialize_any(RolloverVisitor)
    }
}

struct RolloverVisitor;

impl Visitor<'_> for RolloverVisitor {
    type Value = KeyRollover;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"none\", or a duration in whole minutes such as \"1 day\", from 10 minutes to 365 days")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<KeyRollover, E> {
        if text == "none" {
            return Ok(KeyRollover(None));
        }
        let duration = humantime::parse_duration(text).ok();
        match duration.and_then(whole_minutes).and_then(PeriodLength::of_minutes) {
            Some(length) => Ok(KeyRollover(Some(length))),
            None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

fn whole_minutes(duration: Duration) -> Option<UnixSeconds> {
    let minutes = duration.as_secs() / 60;
    let is_whole = duration == Duration::from_secs(minutes * 60);
    UnixSeconds::try_from(minutes).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_period_has_sealed_opens_from_its_start_until_no_session_can_be_left_of_it() {
        let period = PeriodLength::of_minutes(10).unwrap().period(1_800_000_000);
        let (start, last) = (period.start() - MAX_SKEW, period.end() + 3600 + MAX_SKEW);
        for (now, is_open) in [(start - 1, false), (start, true), (last - 1, true), (last, false)] {
            assert_eq!(period.is_open(now, 3600), is_open, "{now}");
        }
    }

    #[test]
    fn a_number_is_one_to_eight_hexadecimal_digits_and_nothing_else() {
        for (digits, number) in [("0", 0), ("a", 10), ("00ff", 255), ("ffffffff", 4_294_967_295)] {
            assert_eq!(hexadecimal(digits), Some(number), "{digits}");
        }
        for digits in ["", "+1", "-1", "g", " 1", "000000001", "0x1"] {
            assert_eq!(hexadecimal(digits), None, "{digits}");
        }
    }
}

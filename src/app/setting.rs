//! Settings of the app's own tables: how they are read, and what is said of one that is wrong.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rocket::figment::error::Kind;
use rocket::figment::{Error, Figment};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// Reads a table of the configuration, or says what is wrong with it in its own words: key, value and what is accepted.
pub(super) fn table<'de, T: Deserialize<'de>>(figment: &Figment, name: &str) -> Result<T, String> {
    let value = figment.find_value(name).map_err(|error| error.to_string())?;
    value.deserialize().map_err(|error| problem(name, &error))
}

fn problem(table: &str, error: &Error) -> String {
    let path: Vec<&str> = std::iter::once(table).chain(error.path.iter().map(String::as_str)).collect();
    let key = path.join(".");
    match &error.kind {
        Kind::InvalidValue(found, accepted) | Kind::InvalidType(found, accepted) => {
            format!("{key} is {found}; accepted: {accepted}")
        }
        Kind::UnknownField(found, accepted) => {
            format!("{table}.{found} is not a setting; accepted: {}", accepted.join(", "))
        }
        other => format!("{key} cannot be read: {other}"),
    }
}

/// Reads a duration such as `"30 seconds"`, from 1 second to 1 day.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Span {
        range: Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60),
        text: "a duration such as \"30 seconds\", from 1 second to 1 day",
    })
}

/// Reads how long an answer may be delayed.
pub(super) fn delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Span {
        range: Duration::ZERO..=Duration::from_secs(10),
        text: "a duration such as \"2 seconds\" or \"500 ms\", at most 10 seconds",
    })
}

/// Reads how many of something there may be.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Count)
}

struct Span {
    range: RangeInclusive<Duration>,
    text: &'static str,
}

impl Visitor<'_> for Span {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        match humantime::parse_duration(text) {
            Ok(duration) if self.range.contains(&duration) => Ok(duration),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

struct Count;

impl Visitor<'_> for Count {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 1 to 1000000")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
        match u32::try_from(number) {
            Ok(count @ 1..=1_000_000) => Ok(count),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(number), &self)),
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u32, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
        }
    }
}

//! Durations as settings hold them, such as `"30 minutes"`.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};

/// Reads how long a session may live or an interval may last.
pub(super) fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    read(
        deserializer,
        Accepted {
            range: Duration::from_secs(1)..=Duration::from_secs(3650 * 24 * 60 * 60),
            text: "a duration such as \"30 minutes\" or \"12 hours\", from 1 second to 3650 days",
        },
    )
}

/// Reads how long a request may wait.
pub(super) fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    read(
        deserializer,
        Accepted {
            range: Duration::from_millis(1)..=Duration::from_secs(60),
            text: "a duration such as \"2 seconds\" or \"500 ms\", from 1 ms to 1 minute",
        },
    )
}

/// Reads how old what is known may be.
pub(super) fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    read(
        deserializer,
        Accepted {
            range: Duration::from_secs(3)..=Duration::from_secs(10 * 60),
            text: "a duration such as \"10 seconds\", from 3 seconds to 10 minutes",
        },
    )
}

fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    accepted: Accepted,
) -> Result<Option<Duration>, D::Error> {
    deserializer.deserialize_any(accepted).map(Some)
}

struct Accepted {
    range: RangeInclusive<Duration>,
    text: &'static str,
}

impl Visitor<'_> for Accepted {
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

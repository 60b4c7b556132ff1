//! Lengths of time as settings have them.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::clock::UnixSeconds;

/// A length of time as it is written, such as `"30 minutes"`.
pub(crate) struct Span<K> {
    pub(crate) length: Duration,
    kind: PhantomData<K>,
}

impl<K> Span<K> {
    pub(crate) fn seconds(self) -> UnixSeconds {
        UnixSeconds::try_from(self.length.as_secs()).unwrap_or(UnixSeconds::MAX)
    }
}

pub(crate) trait SpanKind {
    const ACCEPTED: &'static str;
    const LEAST: Duration;
    const MOST: Duration;
}

pub(crate) struct WholeSeconds;

impl SpanKind for WholeSeconds {
    const ACCEPTED: &'static str =
        "a duration such as \"30 minutes\" or \"12 hours\", from 1 second to 3650 days";
    const LEAST: Duration = Duration::from_secs(1);
    const MOST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);
}

pub(crate) struct AnyLength;

impl SpanKind for AnyLength {
    const ACCEPTED: &'static str = "a duration such as \"2 seconds\" or \"500 ms\", from 1 ms to 1 minute";
    const LEAST: Duration = Duration::from_millis(1);
    const MOST: Duration = Duration::from_secs(60);
}

impl<'de, K: SpanKind> Deserialize<'de> for Span<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span<K>, D::Error> {
        struct SpanVisitor<K>(PhantomData<K>);

        impl<K: SpanKind> Visitor<'_> for SpanVisitor<K> {
            type Value = Span<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(K::ACCEPTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span<K>, E> {
                humantime::parse_duration(text)
                    .ok()
                    .filter(|length| (K::LEAST..=K::MOST).contains(length))
                    .map(|length| Span { length, kind: PhantomData })
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(SpanVisitor(PhantomData))
    }
}

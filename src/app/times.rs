//! The last times that something took, as a short text: a session can hold it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many are kept.
const MAX_TIMES: usize = 20;
/// Each is written as microseconds in so many hexadecimal digits, so that as many of them always take as many bytes.
const DIGITS: usize = 5;
const MAX_MICROS: u128 = 0xF_FFFF;

/// The last 20 times, the newest at the end. One that is longer than a second counts as a second.
#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Times(String);

/// The middle of some times, and of how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Median {
    pub(super) micros: f64,
    pub(super) of: usize,
}

impl Times {
    pub(super) fn add(&mut self, took: Duration) {
        let mut all = self.micros();
        all.push(u32::try_from(took.as_micros().min(MAX_MICROS)).unwrap_or(u32::MAX));
        let kept = all.iter().skip(all.len().saturating_sub(MAX_TIMES));
        self.0 = kept.map(|micros| format!("{micros:0DIGITS$x}")).collect();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` while there are no times.
    pub(super) fn median(&self) -> Option<Median> {
        let mut all = self.micros();
        all.sort_unstable();
        let of = all.len();
        let (low, high) = (all.get(of.checked_sub(1)? / 2)?, all.get(of / 2)?);
        Some(Median { micros: f64::midpoint(f64::from(*low), f64::from(*high)), of })
    }

    fn micros(&self) -> Vec<u32> {
        let read = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        self.0.as_bytes().chunks_exact(DIGITS).filter_map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(micros: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        micros.into_iter().for_each(|micros| times.add(Duration::from_micros(micros)));
        times
    }

    #[test]
    fn the_median_is_of_the_last_twenty() {
        assert_eq!(times([]).median(), None);
        assert_eq!(times([7]).median(), Some(Median { micros: 7.0, of: 1 }));
        assert_eq!(times([9, 1, 4]).median(), Some(Median { micros: 4.0, of: 3 }));
        assert_eq!(times([9, 1, 4, 5]).median(), Some(Median { micros: 4.5, of: 4 }));
        let many = times((0..10).map(|_| 900_000).chain((0..20).map(|_| 3)));
        assert_eq!(many.median(), Some(Median { micros: 3.0, of: 20 }));
    }

    #[test]
    fn as_many_times_take_as_many_bytes_however_long_they_are() {
        assert_eq!(times([1, 2]).0.len(), times([123_456, u64::MAX]).0.len());
        assert_eq!(times([u64::MAX]).median(), Some(Median { micros: 1_048_575.0, of: 1 }));
        assert_eq!(times(0..500).0.len(), 100);
    }

    #[test]
    fn a_text_that_holds_no_times_has_none() {
        for text in ["", "0000", "zzzzz", "éééééé"] {
            assert_eq!(Times(text.into()).median(), None, "{text}");
        }
    }
}

//! The last times that something took.

use std::collections::VecDeque;
use std::time::Duration;

/// How many are kept.
const MAX_TIMES: usize = 20;

/// The last 20 times, the newest at the end.
#[derive(Default)]
pub(super) struct Times(VecDeque<Duration>);

/// The middle of some times, and of how many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Median {
    pub(super) micros: f64,
    pub(super) of: usize,
}

impl Times {
    pub(super) fn add(&mut self, took: Duration) {
        if self.0.len() == MAX_TIMES {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// `None` while there are no times.
    pub(super) fn median(&self) -> Option<Median> {
        let mut all: Vec<f64> = self.0.iter().map(|took| took.as_secs_f64() * 1e6).collect();
        all.sort_by(f64::total_cmp);
        let of = all.len();
        let (low, high) = (*all.get(of.checked_sub(1)? / 2)?, *all.get(of / 2)?);
        Some(Median { micros: f64::midpoint(low, high), of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_of_the_last_twenty() {
        let median = |seconds: &[u64]| {
            let mut times = Times::default();
            seconds.iter().for_each(|seconds| times.add(Duration::from_secs(*seconds)));
            times.median().map(|Median { micros, of }| (micros / 1e6, of))
        };
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7]), Some((7.0, 1)));
        assert_eq!(median(&[9, 1, 4]), Some((4.0, 3)));
        assert_eq!(median(&[9, 1, 4, 5]), Some((4.5, 4)));
        let many = [[900; 10], [3; 10], [3; 10]].concat();
        assert_eq!(median(&many), Some((3.0, 20)));
    }
}

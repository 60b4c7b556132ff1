//! Whether the memory of a process grows.

/// The fewest samples, one a second, that say something: two minutes.
const MIN_SAMPLES: usize = 120;

/// How much more the last quarter may hold than the second one. They are half of the time apart, so that in three minutes
/// at a thousand requests a second a process of 100 MB must lose less than 60 bytes with each of them.
const MAX_GROWTH: f64 = 1.1;

/// The memory of one process, in bytes, second by second since its start.
#[derive(Debug, Default, Clone)]
pub struct Memory(Vec<u64>);

/// What a process held at three times: the median of the first seconds, of the second quarter of its time, and of the
/// last one.
pub struct Held {
    pub seconds: usize,
    pub start: u64,
    pub middle: u64,
    pub end: u64,
}

impl Memory {
    pub fn add(&mut self, bytes: u64) {
        self.0.push(bytes);
    }

    pub fn held(&self) -> Option<Held> {
        let count = self.0.len();
        let median = |from: usize, to: usize| {
            let mut part = self.0.get(from..to.max(from + 1).min(count))?.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied()
        };
        Some(Held {
            seconds: count,
            start: median(0, 5)?,
            middle: median(count / 4, count / 2)?,
            end: median(count * 3 / 4, count)?,
        })
    }
}

impl Held {
    /// The first quarter is for filling caches, pools and the allocator's pages. `None` if the time was too short to say.
    pub fn is_flat(&self) -> Option<bool> {
        (self.seconds >= MIN_SAMPLES).then_some(self.end as f64 <= self.middle as f64 * MAX_GROWTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(samples: impl Iterator<Item = u64>) -> Option<bool> {
        Memory(samples.collect()).held().unwrap().is_flat()
    }

    #[test]
    fn memory_that_fills_up_at_first_and_swings_afterwards_is_flat() {
        assert_eq!(flat((0..400).map(|second| 1000 * second.min(100) + 3000 * (second % 3))), Some(true));
    }

    #[test]
    fn memory_that_goes_on_growing_is_not_flat() {
        assert_eq!(flat((0..400).map(|second| 100_000 + 100 * second)), Some(false));
    }

    #[test]
    fn a_minute_says_nothing() {
        assert_eq!(flat(0..60), None);
    }
}

//! A bucket of failures that empties with time: the generic cell rate algorithm (ITU-T I.371, annex A), whose whole
//! state is one moment, the one at which the bucket will be empty.

use std::time::Duration;

/// A moment, or a span, in milliseconds; moments since 1970.
pub(super) type Millis = i64;

/// How many failures fit, and how fast they are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    /// How many failures may come at once.
    pub(super) failures: u32,
    /// After how long one of them is forgotten.
    pub(super) refill: Duration,
    /// What happens to an attempt that does not fit.
    pub(super) excess: Excess,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// It is refused and not counted.
    Refused,
    /// It is counted, and delayed until it would fit, but by no more than this.
    Delayed(Duration),
}

/// A bucket after one more attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Added {
    /// When it will be empty.
    pub(super) clear_at: Millis,
    /// How long until the attempt would have fitted; zero if it does.
    pub(super) wait: Millis,
}

impl Bucket {
    /// Adds an attempt to a bucket that is empty at `clear_at`. A moment further off than a full bucket's, as after a
    /// change of the settings or of the clock, is a full one.
    pub(super) fn add(self, clear_at: Millis, now: Millis) -> Added {
        let capacity = millis(self.refill).saturating_mul(i64::from(self.failures));
        let most = match self.excess {
            Excess::Refused => capacity,
            Excess::Delayed(longest) => capacity.saturating_add(millis(longest)),
        };
        let level = clear_at.saturating_sub(now).clamp(0, most).saturating_add(millis(self.refill));
        let kept = level.min(most);
        let wait = match self.excess {
            Excess::Refused => level - capacity,
            Excess::Delayed(_) => kept - capacity,
        };
        Added { clear_at: now.saturating_add(kept), wait: wait.max(0) }
    }
}

pub(super) fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_800_000_000_000;

    fn bucket(excess: Excess) -> Bucket {
        Bucket { failures: 3, refill: Duration::from_secs(30), excess }
    }

    /// The waits of so many attempts at one moment, and when the bucket is empty after them.
    fn attempts(count: usize, bucket: Bucket, mut clear_at: Millis) -> (Vec<Millis>, Millis) {
        let mut waits = Vec::new();
        for _ in 0..count {
            let added = bucket.add(clear_at, NOW);
            waits.push(added.wait);
            if added.wait == 0 || bucket.excess != Excess::Refused {
                clear_at = added.clear_at;
            }
        }
        (waits, clear_at)
    }

    #[test]
    fn as_many_as_fit_come_at_once_and_the_next_waits_until_one_is_forgotten() {
        let bucket = bucket(Excess::Refused);
        let (waits, clear_at) = attempts(5, bucket, 0);
        assert_eq!((waits, clear_at), (vec![0, 0, 0, 30_000, 30_000], NOW + 90_000));
        assert_eq!(bucket.add(clear_at, NOW + 29_999).wait, 1);
        assert_eq!(bucket.add(clear_at, NOW + 30_000).wait, 0);
        assert_eq!(bucket.add(clear_at, NOW + 90_000), bucket.add(0, NOW + 90_000), "all is forgotten");
    }

    #[test]
    fn a_bucket_that_only_delays_delays_by_no_more_than_it_may() {
        let bucket = bucket(Excess::Delayed(Duration::from_secs(2)));
        let (waits, clear_at) = attempts(1000, bucket, 0);
        assert_eq!((&waits[..4], waits[999]), (&[0, 0, 0, 2000][..], 2000));
        assert_eq!(bucket.add(clear_at, NOW + 32_000).wait, 0, "and soon after the last it does not");
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let bucket = bucket(Excess::Refused);
        for clear_at in [NOW + 86_400_000, Millis::MAX] {
            assert_eq!(bucket.add(clear_at, NOW).wait, 30_000);
        }
        assert_eq!(bucket.add(Millis::MIN, NOW).wait, 0);
    }
}

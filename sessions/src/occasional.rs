//! Warnings that many requests give rise to, said once a minute.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::clock::UnixSeconds;

/// How many seconds lie between two lines of one kind.
const INTERVAL: UnixSeconds = 60;

/// When one kind of warning was last given.
pub(crate) struct Occasional {
    next: AtomicI64,
    unsaid: AtomicU64,
}

impl Occasional {
    pub(crate) fn new() -> Occasional {
        Occasional { next: AtomicI64::new(UnixSeconds::MIN), unsaid: AtomicU64::new(0) }
    }

    /// Notes an occurrence. `Some`, with the number of those since the last line, if it is time for the next one.
    pub(crate) fn occurs(&self, now: UnixSeconds) -> Option<u64> {
        let occurrences = self.unsaid.fetch_add(1, Ordering::Relaxed) + 1;
        let next = self.next.load(Ordering::Relaxed);
        if now < next {
            return None;
        }
        let after = now.saturating_add(INTERVAL);
        // Of several requests at once, one says it.
        self.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        self.unsaid.store(0, Ordering::Relaxed);
        Some(occurrences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_said_once_a_minute_with_its_number() {
        let warning = Occasional::new();
        let said: Vec<_> = [0, 1, 59, 60, 61, 200].map(|now| warning.occurs(now)).into();
        assert_eq!(said, [Some(1), None, None, Some(3), None, Some(2)]);
    }
}

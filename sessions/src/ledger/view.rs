//! What one node has read of the log.

use super::entry::Line;
use super::identity::Identity;
use super::table::Table;
use crate::clock::UnixSeconds;
use crate::record::timeouts::MAX_SKEW;
use crate::store::RENEWAL_GRACE;

/// How long a clock may be far ahead before anyone believes it.
const PATIENCE: UnixSeconds = 10 * 60;

/// What a node has read.
#[derive(Default)]
pub(super) struct View {
    /// Whose log it is, as it is written there and as it was opened.
    pub(super) claim: Option<(Vec<u8>, Identity)>,
    /// The last entry, with its position.
    pub(super) last: Option<(u64, Line)>,
    pub(super) table: Table,
    /// When the log was last read to its end.
    pub(super) current_at: Option<UnixSeconds>,
    /// A time, and the position that was reached then; and the one before, which is a grace older or more.
    pub(super) marks: [(UnixSeconds, u64); 2],
    /// The time of a sweep, and that of the one before, [`PATIENCE`] older or more.
    sweeps: [UnixSeconds; 2],
    /// The latest time by which entries were forgotten.
    forgotten_by: UnixSeconds,
    /// Sessions that were sealed below this position may have been ended by entries that are lost.
    pub(super) doubtful_below: u64,
    pub(super) has_said_unknown: bool,
}

impl View {
    /// The position up to which everything is known.
    pub(super) fn reached(&self) -> u64 {
        self.last.as_ref().map_or(0, |(position, _)| *position)
    }

    /// Notes that the log was read to its end.
    pub(super) fn read_at(&mut self, now: UnixSeconds) {
        self.current_at = Some(now);
        let [last, _] = self.marks;
        if last.1 == 0 || now >= last.0.saturating_add(RENEWAL_GRACE) {
            self.marks = [(now, self.reached()), last];
        }
    }

    /// Forgets what no longer matters, and returns the time by which: that of a sweep some time ago, unless the clock was
    /// set back since. So a clock that is far ahead for a while brings nothing back.
    pub(super) fn forget(&mut self, now: UnixSeconds) -> UnixSeconds {
        let [last, before] = self.sweeps;
        if now < last {
            self.sweeps = [now, before.min(now)];
        } else if now >= last.saturating_add(PATIENCE) {
            self.sweeps = [now, last];
        }
        let [_, due] = self.sweeps;
        self.table.forget(due, now);
        self.forgotten_by = self.forgotten_by.max(due);
        due
    }

    /// Whether entries were forgotten that matter after all: the clock was ahead for too long.
    pub(super) fn has_forgotten_too_much(&self, now: UnixSeconds) -> bool {
        self.forgotten_by > now.saturating_add(2 * MAX_SKEW)
    }

    /// Notes that all entries were read again.
    pub(super) fn has_all_again(&mut self, now: UnixSeconds) {
        self.forgotten_by = now;
    }

    /// The position that was reached longer ago than the grace: up to twice as long, or 0.
    pub(super) fn settled(&self) -> u64 {
        let [_, (_, position)] = self.marks;
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_believed_once_ten_minutes_have_passed_and_not_if_it_is_over_before() {
        let mut view = View::default();
        let over_at_once =
            [(1000, 0), (1599, 0), (90_000, 1000), (90_599, 1000), (1700, 1000), (2299, 1000), (2300, 1700)];
        let for_long =
            [(90_000, 2300), (90_600, 90_000), (2400, 2400), (2999, 2400), (3000, 2400), (3600, 3000)];
        for (now, due) in over_at_once.into_iter().chain(for_long) {
            assert_eq!(view.forget(now), due, "at {now}");
        }
    }

    #[test]
    fn a_clock_that_was_believed_too_early_is_noticed_beyond_what_two_may_differ_by() {
        let mut view = View::default();
        for now in [1000, 2000, 3000] {
            view.forget(now);
        }
        assert_eq!([1879, 1880].map(|now| view.has_forgotten_too_much(now)), [true, false]);
        view.has_all_again(1500);
        assert!(!view.has_forgotten_too_much(1500));
    }

    #[test]
    fn a_position_is_settled_when_it_was_reached_longer_ago_than_the_grace() {
        let mut view = View::default();
        let mut settled = |now, position| {
            view.last = Some((position, Line { until: 0, body: Vec::new() }));
            view.read_at(now);
            view.settled()
        };
        assert_eq!([(0, 5), (1, 6), (30, 7), (59, 8)].map(|(now, position)| settled(now, position)), [0; 4]);
        assert_eq!([(60, 9), (61, 10), (119, 11)].map(|(now, position)| settled(now, position)), [5; 3]);
        assert_eq!([(120, 12), (180, 13)].map(|(now, position)| settled(now, position)), [9, 12]);
    }
}

//! What one node has read of the log.

use super::entry::Line;
use super::identity::Identity;
use super::table::Table;
use crate::clock::UnixSeconds;
use crate::store::RENEWAL_GRACE;

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

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

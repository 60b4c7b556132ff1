//! Beginning a log, and mending one that has lost entries. All of it is done again until it succeeds.

use super::entry::{Entry, Line};
use super::identity::Identity;
use super::node::Ledger;
use super::table::Table;
use crate::clock::UnixSeconds;
use crate::error::StoreError;

/// A position that is so far above the last known one is above all that may have been lost.
const LEAP: u64 = 1_000_000;

/// How many entries are put back at once.
const BATCH: usize = 500;

impl Ledger {
    /// Gives a new log its identity and its first entry.
    pub(super) async fn begin(&self) -> Result<(), StoreError> {
        if self.view().claim.is_none() {
            let claim = Identity::random()?.sealed(&self.sealer, &self.namespace)?;
            if !self.log.claim(None, &claim).await? {
                // Another node was faster: what it has written is read next.
                return Ok(());
            }
        }
        log::warn!("the ledger {:?} is new: sessions that signed in earlier end", self.namespace);
        self.log.put(&[(self.above(0), Entry::Everyone.line(self.longest()))]).await
    }

    /// Puts back what this node remembers, and tells the others to add what they know.
    pub(super) async fn mend(&self) -> Result<(), StoreError> {
        let (claim, reached, entries) = {
            let view = self.view();
            let Some((claim, _)) = view.claim.clone() else { return Ok(()) };
            (claim, view.reached(), view.table.entries())
        };
        log::error!(
            "the ledger {:?} has lost entries: it was emptied, or restored from an older copy. The {} that this node \
             remembers are put back",
            self.namespace,
            entries.len()
        );
        // `false` if only entries were lost; or if it is another's by now, which the next reading sees.
        self.log.claim(None, &claim).await?;
        if reached == 0 {
            return self.begin().await;
        }
        let lines = entries.into_iter().map(|(position, entry, until)| (position, entry.line(until)));
        let lines: Vec<(u64, Line)> = lines.collect();
        for batch in lines.chunks(BATCH) {
            self.log.put(batch).await?;
        }
        self.log.put(&[(self.above(reached), Entry::Mended.line(self.longest()))]).await?;
        self.compare().await
    }

    /// Reads the whole log again, and adds to it what this node knows and the log does not.
    pub(super) async fn compare(&self) -> Result<(), StoreError> {
        let mut there = Table::default();
        self.read_all(|lines| {
            let now = self.clock.seconds();
            for (position, line) in lines {
                if let Some(entry) = Entry::read(&line.body) {
                    there.apply(*position, entry, line.until, now);
                }
            }
            self.take_in(lines);
        })
        .await?;
        let known = self.view().table.entries();
        let missing = known.into_iter().filter(|(position, entry, _)| !there.knows(*position, *entry));
        for (_, entry, until) in missing {
            self.log.append(&entry.line(until)).await?;
        }
        Ok(())
    }

    /// Reads again what this node has forgotten by a clock that was ahead. The log may have it still.
    pub(super) async fn remember(&self, now: UnixSeconds) -> Result<(), StoreError> {
        log::warn!(
            "the clock was ahead and has been set back: the whole ledger {:?} is read again",
            self.namespace
        );
        self.compare().await?;
        self.view_mut().has_all_again(now);
        Ok(())
    }

    /// Follows a log of another identity from now on. The entries that this node knows have no meaning there, since
    /// their hashes have another key.
    pub(super) fn adopt(&self, claim: Vec<u8>, identity: Identity) {
        log::error!(
            "the ledger {:?} was lost and is another one now: sessions that signed in earlier end",
            self.namespace
        );
        let mut view = self.view_mut();
        let reached = view.reached();
        view.claim = Some((claim, identity));
        view.last = None;
        view.table = Table::default();
        view.current_at = None;
        view.marks = Default::default();
        view.doubtful_below = view.doubtful_below.max(reached + 1);
        self.changed.notify_waiters();
    }

    /// Ends everyone's sessions that were sealed below a position, since entries that ended some may be lost.
    pub(super) async fn end_all_below(&self, below: u64) -> Result<(), StoreError> {
        log::error!(
            "the ledger {:?} has lost entries that no node remembers: everyone is signed out",
            self.namespace
        );
        let above = self.above(below.max(self.view().reached()));
        self.log.put(&[(above, Entry::Everyone.line(self.longest()))]).await
    }

    /// A position above this one, and above those of an earlier log, by the clock's milliseconds.
    fn above(&self, position: u64) -> u64 {
        let clock = u64::try_from(self.clock.seconds()).unwrap_or(0).saturating_mul(1000);
        clock.max(if position == 0 { 1 } else { position.saturating_add(LEAP) })
    }
}

//! What a database has to do to keep a ledger: six steps on lines of bytes.

use super::entry::Line;
use super::hints::Hints;
use crate::clock::UnixSeconds;
use crate::error::StoreError;

/// A log of entries that the nodes of an app share. It knows no session: it sees positions, bytes and times.
///
/// The contract, which [`conformance`](super::conformance) checks:
/// - Each step is atomic, and what was acknowledged is there for everyone who asks afterwards.
/// - Positions only rise: who has read up to a position never finds a new entry below it by
///   [`append`](Log::append). The last entry is never forgotten, so that the next one has a higher position.
/// - A log belongs to one namespace. Two namespaces in one database see nothing of each other.
#[rocket::async_trait]
pub trait Log: Send + Sync + 'static {
    /// Connects and makes what it needs. Called again until it succeeds.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The claim, and at most `limit` entries from the position `from` on (that entry included), in their order. All
    /// of it as of one moment.
    ///
    /// # Errors
    /// When the database cannot tell.
    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError>;

    /// Sets the claim if it is `expected` now; else `false`.
    ///
    /// # Errors
    /// When it may not have been set.
    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError>;

    /// Adds an entry at the position after the last and returns that position; `None` if the log has no entry, and
    /// so no position to go on from.
    ///
    /// # Errors
    /// When it may not have been added.
    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError>;

    /// Adds entries at these positions, except where there is one already. Those that are added before an error stay.
    ///
    /// # Errors
    /// When some may be missing.
    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError>;

    /// Forgets a batch of the entries that need no longer be kept at `now`, but never the last of all, and returns its
    /// size.
    ///
    /// # Errors
    /// Logged; the next round comes all the same.
    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError>;

    /// What tells other nodes at once that there is something to read, if the database can.
    fn hints(&self) -> Option<&dyn Hints> {
        None
    }

    /// Closes its connections. May be called more than once.
    async fn stop(&self) {}
}

/// A part of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Whose log this is, sealed; `None` for a new one.
    pub claim: Option<Vec<u8>>,
    /// Entries with their positions, in their order.
    pub lines: Vec<(u64, Line)>,
}

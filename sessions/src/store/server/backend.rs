//! What a database has to do to keep sessions: seven steps on rows of bytes.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::{IdHash, sha256};

/// A database that keeps the rows of a [`ServerStore`](super::ServerStore). It knows no session: it sees hashes,
/// bytes, versions and times.
///
/// Each step is atomic. A row that has expired may still be there: its reader checks that.
#[rocket::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// The row of an id.
    ///
    /// # Errors
    /// When the database cannot tell.
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError>;

    /// Adds a row. `false` if there is one with this id already, expired or not.
    ///
    /// # Errors
    /// When it may not have been added.
    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError>;

    /// Replaces the row of an id if its version is `expected` and it expires after `row.seen`; otherwise returns
    /// `false`. Unless the new row is a marker (version 0), neither `seen` nor `expires` moves back: the later one is
    /// kept.
    ///
    /// # Errors
    /// When it may not have been replaced.
    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError>;

    /// Moves `seen` and `expires` of a row forward, never back. `false` unless there is a row that expires after
    /// `seen` and is not a marker.
    ///
    /// # Errors
    /// When they may not have been moved.
    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError>;

    /// Removes the row of an id if its version is one of these, expired or not; otherwise returns `false`.
    ///
    /// # Errors
    /// When it may still be there.
    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError>;

    /// The rows of a subject, in no order.
    ///
    /// # Errors
    /// When the database cannot tell.
    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError>;

    /// The rows of a subject that are to end, all but `own`, if it is given and still there: what
    /// [`Backend::of_subject`] finds, unless the database may have lost what it finds them by. Their bodies may be left
    /// out.
    ///
    /// # Errors
    /// When the database cannot tell.
    async fn all_of_subject(
        &self,
        subject: &SubjectHash,
        _own: Option<&IdHash>,
    ) -> Result<Vec<(IdHash, Row)>, StoreError> {
        self.of_subject(subject).await
    }

    /// Removes those rows of a subject that were used least recently, until at most `max` are left, and returns how
    /// many there were.
    ///
    /// # Errors
    /// When there may still be more.
    async fn trim(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        let mut rows = self.of_subject(subject).await?;
        rows.sort_unstable_by_key(|(_, row)| Reverse(row.seen));
        let mut removed = 0;
        for (id, row) in rows.iter().skip(usize::try_from(max).unwrap_or(usize::MAX)) {
            removed += u64::from(self.remove(id, row.version..=row.version).await?);
        }
        Ok(removed)
    }

    /// Keeps at most `max` rows without a subject from now on. `false` from a database that does not bound them by
    /// itself: then they are filed under a subject, and trimmed.
    fn bounds_anonymous(&self, _max: u64) -> bool {
        false
    }

    /// Removes a batch of the rows that have expired, by the earlier of `now` and the database's own clock, and returns
    /// its size. A database that forgets by itself has nothing to do.
    ///
    /// # Errors
    /// Logged; the next round comes all the same.
    async fn sweep(&self, _now: UnixSeconds) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Connects and makes what it needs. Called again until it succeeds.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Closes its connections. May be called more than once.
    async fn stop(&self) {}

    /// Leases, for a database that several processes share. Without them, requests take turns within a process.
    fn leases(&self) -> Option<&dyn Leases> {
        None
    }

    /// Goes through all rows. Without it no operator can end everyone's sessions, or one that is known by its handle
    /// alone.
    fn scan(&self) -> Option<&dyn Scan> {
        None
    }
}

/// Locks that the processes of one database share, and that end by themselves when a process does.
#[rocket::async_trait]
pub trait Leases: Send + Sync {
    /// Grants the lease of this name to `holder`, for [`LEASE_SECONDS`] by the database's own clock. `false` if
    /// somebody else has it; a holder that asks again keeps it.
    ///
    /// # Errors
    /// When it may or may not have been granted.
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError>;

    /// Ends the holder's lease of this name, if it still has it.
    ///
    /// # Errors
    /// When it may not have ended.
    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError>;
}

/// A database that can be gone through, page by page.
#[rocket::async_trait]
pub trait Scan: Send + Sync {
    /// The page that begins at `from`: nothing for the first, then what the page before gave as `next`. The rows come
    /// in any order and may come twice, and a row that is there from the first page to the last does come, even if it is
    /// replaced meanwhile. Rows of other namespaces may come too; those without a subject may be left out, unless they
    /// are markers (version 0).
    ///
    /// # Errors
    /// When the database cannot tell.
    async fn page(&self, from: &[u8]) -> Result<Scanned, StoreError>;
}

/// A page of rows.
#[derive(Debug, Default)]
pub struct Scanned {
    /// The rows, with the hashes of their ids.
    pub rows: Vec<(IdHash, Row)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Vec<u8>>,
}

/// How long a lease lasts, in seconds, unless it is released.
pub const LEASE_SECONDS: u64 = 30;

/// What a database keeps of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How many times the session was written; 0 for a marker that a renewed session leaves.
    pub version: u32,
    /// When it was last used.
    pub seen: UnixSeconds,
    /// When it expires.
    pub expires: UnixSeconds,
    /// Whose session it is.
    pub subject: Option<SubjectHash>,
    /// Everything else.
    pub body: Vec<u8>,
}

impl Row {
    /// What [`Backend::replace`] makes of this row: `None` if it refuses.
    pub fn replaced(&self, expected: u32, by: &Row) -> Option<Row> {
        if self.version != expected || self.expires <= by.seen {
            return None;
        }
        let mut row = by.clone();
        if row.version > 0 {
            row.seen = row.seen.max(self.seen);
            row.expires = row.expires.max(self.expires);
        }
        Some(row)
    }

    /// What [`Backend::touch`] makes of this row: `None` if it refuses.
    pub fn touched(&self, seen: UnixSeconds, expires: UnixSeconds) -> Option<Row> {
        if self.version == 0 || self.expires <= seen {
            return None;
        }
        Some(Row { seen: self.seen.max(seen), expires: self.expires.max(expires), ..self.clone() })
    }
}

/// The SHA-256 of a namespace and a subject in it: rows are looked up by it, and two namespaces in one database see
/// nothing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectHash([u8; SubjectHash::BYTES]);

impl SubjectHash {
    /// The length of a hash.
    pub const BYTES: usize = 32;

    pub(super) fn of(namespace: &str, subject: &str) -> SubjectHash {
        SubjectHash(sha256(&[namespace.as_bytes(), b"\0", subject.as_bytes()]))
    }

    /// What the anonymous rows of a namespace are filed under: no subject's hash, since no namespace begins so.
    pub(super) fn of_anonymous(namespace: &str) -> SubjectHash {
        SubjectHash(sha256(&[b"\0anonymous\0", namespace.as_bytes()]))
    }

    /// The hash of these bits.
    pub fn from_bytes(bytes: [u8; SubjectHash::BYTES]) -> SubjectHash {
        SubjectHash(bytes)
    }

    /// The bits themselves.
    pub fn as_bytes(&self) -> &[u8; SubjectHash::BYTES] {
        &self.0
    }
}

//! The seam: a [`Store`] keeps records and hands out tickets. *Stateless or stateful* is only a choice
//! of one; nothing above this trait knows which.
//!
//! To add a store: one file beside this one, its `mod` line, and its line in [`BUILT_IN`].

mod cookie;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::clock::UnixSeconds;
use super::error::StoreError;
use super::record::{Id, Record};
use super::ticket::Ticket;

pub use self::cookie::CookieStore;

/// The stores that a setting can name, by the word before the first `:` of the setting.
pub(crate) const BUILT_IN: &[(&str, Open)] = &[("cookie", cookie::open)];

/// Makes a store of its setting. The error says what is wrong with it, without passwords.
pub(crate) type Open = fn(setting: &str) -> Result<Arc<dyn Store>, String>;

/// What keeps sessions between requests.
///
/// The contract, which every implementation keeps (rules 8 and 9):
/// - A write returns the [`Ticket`] that the next request will bring. The ticket reaches the store only
///   through a genuine seal, but may be old: of a session since ended, or renewed.
/// - `create` never overwrites and `update`, `rotate` and `touch` never bring back what was deleted.
/// - Every read checks expiry itself by the `until` of the last write: cleanup may be late.
/// - *Not found* is [`Loaded::Missing`] and a lost race is [`Written::Conflict`] or [`Written::Gone`];
///   an error is a fault of the store and nothing else.
/// - Times are whole seconds since 1970. `now` and `until` come from the session layer's clock; a
///   store keeps no other.
/// - A store never logs an id and keeps only its hash.
///
/// Every call is bounded by the setting `store_timeout` from above, so an implementation need not
/// bound it again; it must bear being dropped at any `await`.
#[rocket::async_trait]
pub trait Store: Send + Sync + 'static {
    /// What this store can do, so that *cannot list* is never mistaken for *an empty list*.
    fn capabilities(&self) -> Capabilities;

    /// Called once before the app serves: connect, create tables, start the cleanup.
    ///
    /// # Errors
    /// Refuses the launch, with this error in the log.
    async fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Called once when the app shuts down: stop the cleanup, close connections.
    async fn stop(&self) {}

    /// The session that `ticket` stands for.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError>;

    /// Keeps a new session until `until`. [`Written::Conflict`] when its id is taken.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError>;

    /// Replaces the session of the record's id if its version is still `expected`.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn update(&self, record: &Record, expected: u32, until: UnixSeconds)
    -> Result<Written, StoreError>;

    /// Replaces the session `old`, whose version is `expected`, by `record` with its new id, in one
    /// atomic step, and leaves a marker under `old` for [`ROTATION_GRACE`].
    ///
    /// # Errors
    /// When it may not have been kept; the old session is then untouched.
    async fn rotate(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError>;

    /// Moves `seen` of the session to the record's. Writes no data and does not raise the version.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError>;

    /// Forgets the session. It is no error when there is none.
    ///
    /// # Errors
    /// When it may still be there.
    async fn delete(&self, id: &Id) -> Result<(), StoreError>;

    /// All live sessions of a subject.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::lists`].
    async fn by_subject(&self, _subject: &str, _now: UnixSeconds) -> Result<Vec<Record>, StoreError> {
        Err(StoreError::Unsupported("list the sessions of a subject"))
    }

    /// Ends all sessions of a subject but one, and says how many.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::lists`].
    async fn end_all(&self, _subject: &str, _except: Option<&Id>) -> Result<u64, StoreError> {
        Err(StoreError::Unsupported("end the sessions of a subject"))
    }

    /// Waits until no one else holds the lock of the session that `ticket` stands for, and takes it.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::locks`].
    async fn lock(&self, _ticket: &str) -> Result<Lock, StoreError> {
        Err(StoreError::Unsupported("lock a session"))
    }
}

/// For how many seconds a late request with an id that was renewed is recognised.
pub const ROTATION_GRACE: UnixSeconds = 60;

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    /// This session.
    Found(Record),
    /// Nothing that the store has: ended or expired.
    Missing,
    /// A session that got a new id within the last [`ROTATION_GRACE`] seconds.
    Superseded,
    /// A ticket of a format that this version does not know.
    Unreadable,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is kept; this is the ticket from now on.
    Saved(Ticket),
    /// Somebody else has written since the expected version; nothing was changed.
    Conflict,
    /// The session was ended meanwhile; nothing was changed.
    Gone,
}

/// What a store can do beyond the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The server holds the session: ending it ends every copy of the cookie, and a conflict is seen.
    pub server_side: bool,
    /// `by_subject` and `end_all` work.
    pub lists: bool,
    /// `lock` works.
    pub locks: bool,
}

/// A session's lock, released when it is dropped.
pub struct Lock(#[expect(dead_code, reason = "held for its Drop")] Box<dyn Any + Send + Sync>);

impl Lock {
    /// A lock that `guard` releases when it is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Lock {
        Lock(Box::new(guard))
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

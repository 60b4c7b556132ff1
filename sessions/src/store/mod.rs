//! The seam: a [`Store`] keeps records and hands out tickets. *Stateless or stateful* is only a choice
//! of store; nothing above this trait knows which one it is.

pub(crate) mod at_rest;
pub(crate) mod bounded;
pub mod conformance;
pub(crate) mod cookie;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "mongodb")]
mod mongodb;
pub(crate) mod open;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "memory", feature = "sql", feature = "redis", feature = "mongodb"))]
mod server;
#[cfg(feature = "sql")]
mod sql;

use std::any::Any;
use std::fmt;

pub use self::cookie::CookieStore;
pub use self::open::open;
pub use crate::clock::UnixSeconds;
pub use crate::cookie::ticket::Ticket;
pub use crate::error::StoreError;
pub use crate::record::Record;
pub use crate::record::id::{Id, IdHash};

/// What keeps sessions between requests.
///
/// The contract, which every implementation keeps (rules 8 and 9):
/// - A write returns the [`Ticket`] that the next request will bring. The ticket reaches the store only
///   through a genuine seal, but may be old: of a session since ended, or renewed.
/// - `create` never overwrites and `update`, `renew` and `touch` never bring back what was deleted.
/// - Every read checks expiry itself by the `expires` of the last write: cleanup may be late.
/// - *Not found* is [`Loaded::Missing`] and a lost race is [`Written::Conflict`] or [`Written::Gone`];
///   an error is a fault of the store and nothing else.
/// - Times are whole seconds since 1970. `now` and `expires` come from the session layer's clock; a
///   store keeps no other.
/// - A store never logs an id and keeps only its hash.
///
/// Every call that a request waits for is bounded from above by the setting `store_timeout`, `lock` by
/// `lock_timeout`, and `start`, `sweep` and `stop` by ten seconds, so an implementation need not bound them
/// again; it must bear being dropped at any `await`.
#[rocket::async_trait]
pub trait Store: Send + Sync + 'static {
    /// What this store can do, so that *cannot list* is never mistaken for *an empty list*.
    fn capabilities(&self) -> Capabilities;

    /// Called before the app serves: connect, create tables. Called again, expires it succeeds, where the
    /// setting `store_required` lets an app serve without its store: it must bear that.
    ///
    /// # Errors
    /// Refuses the launch, or has it tried again, with this error in the log.
    async fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Called when the app shuts down and no request has a session any more, or the time is over that Rocket
    /// gives them (`shutdown.grace`): close connections. May come more than once, since two realms may share a
    /// store. A store belongs to one app: it is of no use afterwards.
    async fn stop(&self) {}

    /// The session that `ticket` stands for.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError>;

    /// Keeps a new session until `expires`. [`Written::Conflict`] when its id is taken.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError>;

    /// Replaces the session of the record's id if its version is still `expected`. The record's `seen` is
    /// the present moment: one that has expired by then is gone.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError>;

    /// Replaces the session `old`, whose version is `expected`, with `record` and its new id, in one
    /// atomic step, and leaves a marker under `old` for [`RENEWAL_GRACE`].
    ///
    /// # Errors
    /// When it may not have been kept; the old session is then untouched. That goes for a caller that gave
    /// up too, unless the last step was under way already: nobody would learn the new id.
    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError>;

    /// Moves `seen` of the session on to the record's, and its expiry on to `expires`; neither ever moves back.
    /// Writes no data and does not raise the version.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError>;

    /// Forgets the session, or what it has become where it was renewed within [`RENEWAL_GRACE`]: a logout
    /// must not miss it. It is no error when there is none.
    ///
    /// # Errors
    /// When it may still be there.
    async fn delete(&self, id: &IdHash) -> Result<(), StoreError>;

    /// All live sessions of a subject, in no order.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::lists`].
    async fn by_subject(&self, _subject: &str, _now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        Err(StoreError::Unsupported("list the sessions of a subject"))
    }

    /// Ends all sessions of a subject but one, and says how many that were alive at `now` it found and
    /// ended. One that is being renewed meanwhile does not escape; nor does `except`, which then is another.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::lists`].
    async fn end_all(
        &self,
        _subject: &str,
        _except: Option<&IdHash>,
        _now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        Err(StoreError::Unsupported("end the sessions of a subject"))
    }

    /// Deletes a batch of what has expired by `now` and says how many there were; called now and then,
    /// again at once while there are some. A store that forgets by itself has nothing to do. Of several
    /// processes on one store at most one sweeps at a time; the others say 0.
    ///
    /// # Errors
    /// Logged; the next round comes all the same.
    async fn sweep(&self, _now: UnixSeconds) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Waits until no one else holds the lock of the session that `ticket` stands for, and takes it.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] unless [`Capabilities::locks`].
    async fn lock(&self, _ticket: &str) -> Result<Lock, StoreError> {
        Err(StoreError::Unsupported("lock a session"))
    }
}

/// For how many seconds a late request with the old id of a renewed session is recognised.
pub const RENEWAL_GRACE: UnixSeconds = 60;

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    /// This session.
    Found(Record),
    /// Nothing that the store has: ended or expired.
    Missing,
    /// A session that got a new id within the last [`RENEWAL_GRACE`] seconds.
    Superseded,
    /// A ticket of a format that this version does not know.
    Unreadable,
}

/// A session in a list: by the hash of its id, since a store has no ids. The hash is what
/// [`Store::delete`] ends it by.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// The hash of its id.
    pub id: IdHash,
    /// When it was opened.
    pub created: UnixSeconds,
    /// When it was last used.
    pub seen: UnixSeconds,
    /// When its subject proved who they are.
    pub signed_in: Option<UnixSeconds>,
    /// Whether it has the longer lifetime.
    pub remembered: bool,
    /// The app's data: the text of a JSON object.
    pub data: String,
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listed")
            .field("created", &self.created)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
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

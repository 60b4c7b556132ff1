//! The seam: a [`Store`] keeps records and hands out tickets. *Stateless or stateful* is only a choice
//! of store; nothing above this trait knows which one it is.
//!
//! To keep sessions in a database of your own, implement [`Backend`] and hand a [`ServerStore`] over it to
//! [`Sessions::store`](crate::Sessions::store). The store hashes ids and subjects, seals, follows renewals and
//! takes turns; the backend sees hashes, rows of bytes, versions and expiries.

pub(crate) mod bounded;
pub mod conformance;
mod cookie;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "mongodb")]
pub(crate) mod mongodb;
pub(crate) mod open;
mod powers;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod server;
#[cfg(feature = "sql")]
pub(crate) mod sql;

use std::any::Any;
use std::fmt;

pub use self::cookie::CookieStore;
pub use self::open::open;
pub use self::powers::Powers;
pub use self::server::ServerStore;
pub use self::server::backend::{Backend, LEASE_SECONDS, Leases, Row, Scan, Scanned, SubjectHash};
pub use self::server::seal::Sealer;
pub use crate::clock::UnixSeconds;
pub use crate::cookie::ticket::Ticket;
pub use crate::error::StoreError;
pub use crate::record::Record;
pub use crate::record::id::{Id, IdHash};

/// For how many seconds a late request with the old id of a renewed session is recognised.
pub const RENEWAL_GRACE: UnixSeconds = 60;

/// What keeps sessions between requests.
///
/// The contract, which every implementation keeps (rules 8 and 9) and [`conformance`] checks:
/// - A write returns the [`Ticket`] that the next request will bring. A ticket reaches the store only
///   through a genuine seal, but may be old: of a session since ended, or renewed.
/// - Creating never overwrites, and nothing brings back what was deleted or has expired.
/// - Every read checks expiry by the `expires` of the last write: cleanup may be late. What a write says of
///   `seen` and `expires` never moves them back.
/// - *Not found* is [`Loaded::Missing`] and a lost race is [`Written::Stale`]; an error is a fault of the store
///   and nothing else. A write that is sent again does no harm: the store recognises what it has already done.
/// - Times are whole seconds since 1970. `now` and `expires` come from the session layer's clock; a store has a clock
///   of its own for sweeping alone.
///
/// Every call is bounded from above by a timeout, so an implementation need not bound it again; it must bear
/// being dropped at any `await`.
///
/// What a store can do beyond the three verbs is a facet: `None` means that it cannot.
#[rocket::async_trait]
pub trait Store: Send + Sync + 'static {
    /// The session of a ticket.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError>;

    /// Keeps a record.
    ///
    /// # Errors
    /// When it may not have been kept.
    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError>;

    /// Forgets the session of a ticket, or what it has become if it was renewed within [`RENEWAL_GRACE`]: a
    /// logout must not miss it. Deleting nothing is no error.
    ///
    /// # Errors
    /// When it may still be there.
    async fn delete(&self, ticket: &str) -> Result<(), StoreError>;

    /// Ends sessions without their tickets.
    fn revoke(&self) -> Option<&dyn Revoke> {
        None
    }

    /// Lists the sessions of a subject.
    fn list(&self) -> Option<&dyn List> {
        None
    }

    /// Lists the sessions of everyone.
    fn everyone(&self) -> Option<&dyn Everyone> {
        None
    }

    /// Lets requests of one session take turns.
    fn locks(&self) -> Option<&dyn Locks> {
        None
    }

    /// Has to be started, swept and stopped.
    fn service(&self) -> Option<&dyn Service> {
        None
    }
}

/// A store that can end sessions without their tickets.
#[rocket::async_trait]
pub trait Revoke: Send + Sync {
    /// Ends the session of this hash, or what it has become if it was renewed within [`RENEWAL_GRACE`].
    ///
    /// # Errors
    /// When it may still be there.
    async fn end(&self, id: &IdHash) -> Result<(), StoreError>;

    /// Ends all sessions of a subject but one, and says how many live ones it has ended. A session that is being renewed
    /// meanwhile does not escape; nor does `except`, which then is another; nor one that has expired by `now` and is still
    /// there: another node, whose clock is behind, may go on with it.
    ///
    /// # Errors
    /// When some may still be there.
    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError>;
}

/// A store that can list sessions, which only one on the server can.
#[rocket::async_trait]
pub trait List: Send + Sync {
    /// All live sessions of a subject, in no order.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError>;

    /// What the session of a ticket has become, if it was renewed or replaced within [`RENEWAL_GRACE`] and lives on. A
    /// store that cannot tell says `None`: then two clicks on Sign in count as two sessions of `max_sessions`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn successor(&self, _ticket: &str, _now: UnixSeconds) -> Result<Option<IdHash>, StoreError> {
        Ok(None)
    }
}

/// A store that can go through the sessions of everyone who is signed in.
#[rocket::async_trait]
pub trait Everyone: Send + Sync {
    /// The page that begins at `from`: nothing for the first, then what the page before gave as `next`. A session that
    /// lives from the first page to the last does come, even if it is renewed meanwhile; one may come twice.
    ///
    /// # Errors
    /// When the store cannot tell.
    async fn page(&self, from: &[u8], now: UnixSeconds) -> Result<Page, StoreError>;
}

/// A page of sessions that have a subject, whichever it is.
#[derive(Debug, Default)]
pub struct Page {
    /// The live sessions.
    pub sessions: Vec<Listed>,
    /// Those that were renewed within [`RENEWAL_GRACE`] once more, with a hash that they had before each.
    pub renewed: Vec<(IdHash, Listed)>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Vec<u8>>,
}

/// A store that can let requests take turns.
#[rocket::async_trait]
pub trait Locks: Send + Sync {
    /// Waits until nobody else holds the lock of the ticket's session, and takes it.
    ///
    /// # Errors
    /// When the store cannot grant it.
    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError>;
}

/// A store with a life of its own.
#[rocket::async_trait]
pub trait Service: Send + Sync {
    /// Called before the app serves: connect, create tables. Called again, until it succeeds, where the setting
    /// `store_required` lets an app serve without its store: a store that has started must bear that.
    ///
    /// # Errors
    /// Refuses the launch, or has it tried again, with this error in the log.
    async fn start(&self) -> Result<(), StoreError>;

    /// Deletes a batch of the sessions that have expired, by the earlier of `now` and the store's own clock if it has one
    /// (a node whose clock is ahead must not end the sessions of others), and returns its size; called every
    /// `sweep_interval`, and again until it returns 0. Of several processes on one store at most one sweeps at a time; the others return 0.
    ///
    /// # Errors
    /// Logged; the next round comes all the same.
    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError>;

    /// Called when no request has a session any more, or Rocket's `shutdown.grace` is over: close connections.
    /// May be called more than once. A store belongs to one app and is of no use afterwards.
    async fn stop(&self);

    /// Takes what the realm's settings ask of it, before it starts.
    ///
    /// # Errors
    /// The name of a setting that it cannot follow: the launch is refused.
    fn configure(&self, options: StoreOptions) -> Result<(), &'static str> {
        match options {
            StoreOptions { seal_at_rest: true, .. } => Err("seal_at_rest"),
            StoreOptions { max_anonymous: Some(_), .. } => Err("max_anonymous_sessions"),
            _ => Ok(()),
        }
    }
}

/// What a realm's settings ask of its store.
#[derive(Debug)]
#[non_exhaustive]
pub struct StoreOptions {
    /// The app's keys.
    pub sealer: Sealer,
    /// Whether to seal the records: `seal_at_rest`.
    pub seal_at_rest: bool,
    /// How many anonymous sessions to keep: `max_anonymous_sessions`.
    pub max_anonymous: Option<u64>,
}

/// One write: what to keep, until when, and over what.
#[derive(Debug, Clone, Copy)]
pub struct Write<'w> {
    /// The record. Its `seen` is the current time.
    pub record: &'w Record,
    /// When it expires unless another write moves that.
    pub expires: UnixSeconds,
    /// What it is written over.
    pub over: Over<'w>,
}

/// What a write goes over.
#[derive(Debug, Clone, Copy)]
pub enum Over<'w> {
    /// Nothing: a new session. [`Written::Stale`] if its id is taken.
    Nothing,
    /// Nothing, but the browser came with this ticket, of a session that is gone. A write that is `proven` leaves
    /// a marker under it; one that is not finds such a marker and is [`Written::Stale`]: somebody has signed in
    /// since with the same dead cookie.
    Dead {
        /// The ticket that came.
        ticket: &'w str,
        /// Whether the request has proven who its subject is.
        proven: bool,
    },
    /// The session of the record's id, if its version is still this one.
    Version(u32),
    /// This session, if its version is still its own; the record has a new id. One step: afterwards there is
    /// either the old session or the new one, and a marker under the old id for [`RENEWAL_GRACE`]. If the old
    /// session was anonymous, the marker keeps it readable ([`Loaded::Superseded`]).
    ///
    /// Nobody learns the new id of a caller that gave up: then the old session is left alone, unless the last
    /// step was under way.
    Renewed(&'w Record),
    /// The session of the record's id, of which only `seen` and `expires` move, and only forward. Writes no data
    /// and does not raise the version.
    Touch,
}

/// What a ticket stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    /// This session.
    Found(Record),
    /// Nothing that the store has: ended or expired.
    Missing,
    /// A session that got a new id within the last [`RENEWAL_GRACE`] seconds: as it was before, if it was
    /// anonymous.
    Superseded(Option<Box<Record>>),
    /// A ticket or a record of a format that this version does not know.
    Unreadable,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is kept; this is the ticket from now on.
    Saved(Ticket),
    /// It is not: another write came first, or the session has ended. Nothing was changed.
    Stale,
}

/// A session in a list: by the hash of its id, since a store has no ids. [`Revoke::end`] takes the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// The hash of its id.
    pub id: IdHash,
    /// When it was opened, or its subject last proved who they are.
    pub created: UnixSeconds,
    /// When it was last used.
    pub seen: UnixSeconds,
    /// When its subject proved who they are.
    pub signed_in: Option<UnixSeconds>,
    /// Whether its login asked to be remembered.
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

/// A session's lock, released when it is dropped.
pub struct Lock(#[expect(dead_code, reason = "held for its Drop")] Box<dyn Any + Send + Sync>);

impl Lock {
    /// A lock that is released when `guard` is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Lock {
        Lock(Box::new(guard))
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock")
    }
}

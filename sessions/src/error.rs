//! What can be wrong with a cookie ([`Invalid`], which is never an error) and with a store ([`StoreError`]).

use thiserror::Error;

/// Why a cookie that the browser sent is ignored. All of these look the same to the client; the reason is for logs
/// and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// Not the text of a sealed cookie, or not all of its chunks.
    Malformed,
    /// No key of the keyring opens it: foreign, tampered with, of a key since removed, or of a period that is
    /// over.
    Seal,
    /// Sealed by a version of this library whose format this one does not know.
    Format,
    /// Its data does not fit the session's type.
    Schema,
    /// Its times are more than a minute ahead.
    Future,
    /// Two cookies of the same name open to two different sessions.
    Ambiguous,
}

/// Which timeout has ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// No request for longer than `idle_timeout`.
    Idle,
    /// Opened, or its subject proven, longer ago than `absolute_timeout`.
    Absolute,
}

/// Why the session of this request is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrival {
    /// The browser sent no cookie.
    Absent,
    /// The browser's session goes on.
    Resumed,
    /// The browser's session goes on, as it was before the newest version that this process has seen of it. Only where
    /// the setting `notice_stale` is on; [`Current`](crate::Current) says what that promises.
    Stale {
        /// How many versions it is behind: at least 1.
        behind: u32,
    },
    /// The seal was genuine, but the session has timed out. A server store forgets such a session, so
    /// that this is [`Arrival::Revoked`] there unless the timeouts were tightened.
    Expired(Timeout),
    /// The seal was genuine, but the store no longer has the session: it was ended elsewhere, or has
    /// expired.
    Revoked,
    /// A late request with an id that was renewed a moment ago. It keeps nothing and sets no cookie, so that it
    /// cannot sign the browser out, unless it signs somebody in. What an anonymous session held can be read. A 401
    /// gets the header `Session-State: superseded`, so that a client knows to try again with its new cookie.
    Superseded,
    /// The browser sent no cookie, but may have one: another site made this request, which `SameSite` keeps the
    /// cookie away from. It keeps nothing and sets no cookie, unless it signs somebody in.
    Withheld,
    /// What the browser sent is not a session.
    Invalid(Invalid),
}

/// What a [`Store`](crate::store::Store) answers when it cannot do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No answer within `store_timeout`.
    #[error("the store did not answer in time")]
    TimedOut,
    /// The connection was lost before the answer came: the step may have been done or not. A
    /// [`ServerStore`](crate::store::ServerStore) tries it once more. The text is logged, so it must not hold a
    /// secret.
    #[error("the store's connection was lost: {0}")]
    Disconnected(String),
    /// The store will never take this, however often it is asked: the request gets 500. The text is logged.
    #[error("the store refused: {0}")]
    Refused(String),
    /// Anything else, which may pass. The text is logged.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Some of the sessions that were to be ended may live on.
    pub(crate) fn outrun() -> StoreError {
        StoreError::Failed("sessions are renewed faster than they can be ended".into())
    }
}

/// Why a guard has no session to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store does not answer. The request gets 503; the browser keeps its cookie.
    #[error("the session store is unavailable")]
    Unavailable,
    /// What the browser sent is older than what this process has seen of the session, and
    /// [`Current`](crate::Current) refuses it: 409.
    #[error("the session is older than its newest version")]
    Stale,
    /// The path of the request lies in no realm, which is a mistake in the app: 500.
    #[error("this path belongs to no realm of sessions")]
    OutsideEveryRealm,
    /// The fairing `Sessions::<T>::fairing()` is not attached, or the response is already under way.
    #[error("sessions are not available here")]
    Detached,
}

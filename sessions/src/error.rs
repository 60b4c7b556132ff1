//! What can be wrong with a cookie ([`Invalid`], never an error) and with a store ([`StoreError`]).

use thiserror::Error;

/// Why a cookie that the browser sent counts as no session. All of these look the same to the
/// client; the reason is for logs and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// Not the text of a sealed cookie, or not all of its chunks.
    Malformed,
    /// No key of the keyring opens it: foreign, tampered with, or of a key since removed.
    Seal,
    /// Sealed by a version of this library whose format this one does not know.
    Format,
    /// Its data does not fit the session's type.
    Schema,
    /// It says that it was made more than a minute from now.
    Future,
    /// Two cookies of the same name open to two different sessions.
    Ambiguous,
}

/// Which of the two limits a session has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// No request for longer than `idle_timeout`.
    Idle,
    /// Opened longer ago than `absolute_timeout`.
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
    /// The seal was genuine, but the session has met a limit. A server store forgets such a session, so
    /// that it says [`Arrival::Revoked`] unless the limits were tightened.
    Expired(Timeout),
    /// The seal was genuine, but the store no longer has the session: it was ended elsewhere, or has
    /// expired.
    Revoked,
    /// A late request with an id that was renewed a moment ago: anonymous, and it sets no cookie, so
    /// that it cannot sign the browser out.
    Superseded,
    /// What the browser sent is no session.
    Invalid(Invalid),
}

/// What a [`Store`](crate::store::Store) answers when it cannot do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot do this at all; its [`Capabilities`](crate::store::Capabilities) say so beforehand.
    #[error("this store cannot {0}")]
    Unsupported(&'static str),
    /// No answer within `store_timeout`.
    #[error("the store did not answer in time")]
    TimedOut,
    /// Anything else. The text goes to the log: it must hold no secret.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Why a guard has no session to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store cannot be asked. The request is answered with 503; the browser keeps its cookie.
    #[error("the session store is unavailable")]
    Unavailable,
    /// The path of the request lies in no realm. A mistake in the app; answered with 500.
    #[error("this path belongs to no realm of sessions")]
    OutsideEveryRealm,
    /// The fairing `Sessions::<T>::fairing()` is not attached, or the response is already under way.
    #[error("sessions are not available here")]
    Detached,
}

//! Why a commit fails, for the app's error page and for the log.

use rocket::http::Status;
use time::OffsetDateTime;

use crate::cookie::format::Unsendable;
use crate::encoding::Unreadable;
use crate::error::StoreError;
use crate::events::{Kind, Unkept};
use crate::realm::Realm;
use crate::record::merge::largest_fields;

/// Why a commit failed. This request's changes are lost; the session goes on as it was, and the browser keeps its
/// cookie. After a [`destroy`](crate::Session::destroy) the cookie is removed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The store does not answer: 503.
    Unavailable {
        /// After a `destroy`: until when the server's copy lives unless it is ended otherwise.
        copy_lives_until: Option<OffsetDateTime>,
    },
    /// The session is larger than `max_cookie_bytes`, or than `max_session_bytes` in a store on the server: 500.
    TooLarge,
    /// The subject who signs in has `max_sessions` already, and the setting `beyond_max_sessions` is `"refuse"`: 409.
    TooManySessions,
    /// The session's data has no text that reads back, or the store will never take it: 500. The log says which.
    Refused,
}

impl Failure {
    pub(crate) fn status(self) -> Status {
        match self {
            Failure::Unavailable { .. } => Status::ServiceUnavailable,
            Failure::TooManySessions => Status::Conflict,
            Failure::TooLarge | Failure::Refused => Status::InternalServerError,
        }
    }
}

/// A [`Failure`] with what the log says of it.
pub(crate) enum CommitError {
    Store(StoreError),
    Encoding(serde_json::Error),
    Unreadable(Unreadable),
    Random(getrandom::Error),
    /// So many bytes are above `max_session_bytes`. The session's data comes along.
    TooLarge(usize, String),
    /// The subject who signs in has so many sessions already, the most that it may have.
    TooManySessions(usize),
    /// The session's data comes along, whose largest fields are logged.
    Unsendable(Unsendable, String),
}

impl CommitError {
    pub(crate) fn failure(&self) -> Failure {
        match self {
            CommitError::Unsendable(Unsendable::TooLarge { .. }, _) | CommitError::TooLarge(..) => {
                Failure::TooLarge
            }
            CommitError::TooManySessions(_) => Failure::TooManySessions,
            CommitError::Store(StoreError::Refused(_))
            | CommitError::Encoding(_)
            | CommitError::Unreadable(_) => Failure::Refused,
            _ => Failure::Unavailable { copy_lives_until: None },
        }
    }

    /// What listeners are told.
    pub(crate) fn event(&self) -> Kind {
        match self {
            CommitError::Store(_) => Kind::StoreFault,
            CommitError::Unsendable(Unsendable::TooLarge { .. }, _) | CommitError::TooLarge(..) => {
                Kind::NotKept(Unkept::TooLarge)
            }
            CommitError::TooManySessions(_) => Kind::NotKept(Unkept::TooManySessions),
            CommitError::Encoding(_) | CommitError::Unreadable(_) => Kind::NotKept(Unkept::Data),
            CommitError::Random(_) | CommitError::Unsendable(Unsendable::SealFailed, _) => {
                Kind::NotKept(Unkept::Seal)
            }
        }
    }

    /// How the log says it: a refusal is no fault.
    pub(crate) fn level(&self) -> log::Level {
        match self {
            CommitError::TooManySessions(_) => log::Level::Info,
            _ => log::Level::Error,
        }
    }

    /// What the log says of it. Shows no value of the session.
    pub(crate) fn explain(&self, realm: &Realm) -> String {
        match self {
            CommitError::Store(error) => format!("cannot save: {error}"),
            // The error's own text may show a value of the session.
            CommitError::Encoding(error) => format!(
                "cannot encode or merge the data: a {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
            CommitError::Unreadable(Unreadable { fields }) => {
                let which = if fields.is_empty() { "its fields".into() } else { named(fields) };
                format!(
                    "a session is not kept, since it would not read back from what is written: look at {which}; the \
                     old session goes on"
                )
            }
            CommitError::Random(error) => format!("no random bits: {error}"),
            CommitError::Unsendable(Unsendable::SealFailed, _) => "cannot seal".into(),
            CommitError::Unsendable(Unsendable::TooLarge { bytes, limit }, data) => format!(
                "a session of {bytes} bytes of Set-Cookie is above max_cookie_bytes = {limit} and is not sent; the \
                 browser keeps the old one. Largest fields: {}",
                largest(data)
            ),
            CommitError::TooManySessions(max) => {
                format!("a sign-in is refused: its subject has max_sessions = {max} already")
            }
            CommitError::TooLarge(bytes, data) => format!(
                "a session of {bytes} bytes is above max_session_bytes = {} and is not kept; the old one goes on. \
                 Largest fields: {}",
                realm.max_session_bytes,
                largest(data)
            ),
        }
    }
}

fn named(fields: &[String]) -> String {
    fields.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

fn largest(data: &str) -> String {
    let fields = largest_fields(data).into_iter().map(|(name, bytes)| format!("{name:?} {bytes} bytes"));
    fields.collect::<Vec<_>>().join(", ")
}

impl From<Unreadable> for CommitError {
    fn from(error: Unreadable) -> Self {
        CommitError::Unreadable(error)
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        CommitError::Store(error)
    }
}

impl From<serde_json::Error> for CommitError {
    fn from(error: serde_json::Error) -> Self {
        CommitError::Encoding(error)
    }
}

impl From<getrandom::Error> for CommitError {
    fn from(error: getrandom::Error) -> Self {
        CommitError::Random(error)
    }
}

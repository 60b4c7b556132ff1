//! Why a commit fails, for the app's error page and for the log.

use rocket::http::Status;
use time::OffsetDateTime;

use crate::cookie::format::Unsendable;
use crate::error::StoreError;
use crate::realm::Realm;
use crate::record::merge::largest_fields;

/// Why a commit failed. Nothing is lost: the browser keeps the cookie it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The store does not answer: 503.
    Unavailable {
        /// After a `destroy`: until when the server's copy lives unless it is ended otherwise.
        copy_lives_until: Option<OffsetDateTime>,
    },
    /// The session is larger than `max_cookie_bytes`: 500.
    TooLarge,
}

impl Failure {
    pub(crate) fn status(self) -> Status {
        match self {
            Failure::Unavailable { .. } => Status::ServiceUnavailable,
            Failure::TooLarge => Status::InternalServerError,
        }
    }
}

/// A [`Failure`] with what the log says of it.
pub(crate) enum CommitError {
    Store(StoreError),
    Encoding(serde_json::Error),
    Random(getrandom::Error),
    /// The session's data comes along, whose largest fields are logged.
    Unsendable(Unsendable, String),
}

impl CommitError {
    pub(crate) fn failure(&self) -> Failure {
        match self {
            CommitError::Unsendable(Unsendable::TooLarge { .. }, _) => Failure::TooLarge,
            _ => Failure::Unavailable { copy_lives_until: None },
        }
    }

    pub(crate) fn log(&self, realm: &Realm) {
        let path = &realm.path;
        match self {
            CommitError::Store(error) => log::error!("sessions of {path:?}: cannot save: {error}"),
            // The error's own text may show a value of the session.
            CommitError::Encoding(error) => log::error!(
                "sessions of {path:?}: cannot encode or merge the data: a {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
            CommitError::Random(error) => log::error!("sessions of {path:?}: no random bits: {error}"),
            CommitError::Unsendable(Unsendable::SealFailed, _) => {
                log::error!("sessions of {path:?}: cannot seal")
            }
            CommitError::Unsendable(Unsendable::TooLarge { bytes, limit }, data) => {
                let fields =
                    largest_fields(data).into_iter().map(|(name, bytes)| format!("{name:?} {bytes} bytes"));
                log::error!(
                    "sessions of {path:?}: a session of {bytes} bytes of Set-Cookie is above max_cookie_bytes = \
                     {limit} and is not sent; the browser keeps the old one. Largest fields: {}",
                    fields.collect::<Vec<_>>().join(", "),
                );
            }
        }
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

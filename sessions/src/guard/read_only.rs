//! A session that is read but not used.

use std::fmt;
use std::sync::Arc;

use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use time::OffsetDateTime;

use super::session::{Session, here, lacks_sessions, outcome};
use crate::clock::moment;
use crate::data::SessionData;
use crate::error::{Arrival, SessionError};
use crate::inspect::Details;
use crate::realm::Realm;
use crate::record::timeouts::Expires;
use crate::request::RequestSession;

/// The session of the request's realm, read without using it: for polls, badges and overviews, which would
/// otherwise keep a session alive that nobody uses. It changes nothing, moves no timeout and sets no cookie.
///
/// ```
/// # use rocket::get;
/// # use serde::{Deserialize, Serialize};
/// # use sealed_sessions::SessionData;
/// use sealed_sessions::ReadOnly;
/// # #[derive(Default, Clone, Serialize, Deserialize)]
/// # struct Visitor { unread: u64 }
/// # impl SessionData for Visitor {}
///
/// #[get("/unread")]
/// fn unread(session: ReadOnly<'_, Visitor>) -> String {
///     session.get().unread.to_string()
/// }
/// ```
pub struct ReadOnly<'r, T> {
    pub(super) realm: &'r Realm,
    pub(super) request: &'r RequestSession<T>,
}

impl<'r, T: SessionData> ReadOnly<'r, T> {
    pub(super) fn new(session: Session<'r, T>) -> ReadOnly<'r, T> {
        ReadOnly { realm: session.realm, request: session.request }
    }

    /// The data as it is now: `T::default()` for a visitor without a session.
    pub fn get(&self) -> Arc<T> {
        self.request.data()
    }

    /// Why the session is as it is.
    pub fn arrival(&self) -> Arrival {
        self.request.arrival()
    }

    /// When the subject last proved who they are.
    pub fn signed_in_at(&self) -> Option<OffsetDateTime> {
        self.request.with_base(|base| base.record.signed_in.map(moment)).flatten()
    }

    /// When the session expires, which this request does not move; `None` if there is none.
    pub fn expires(&self) -> Option<Expires> {
        let timeouts = &self.realm.timeouts;
        self.request
            .with_base(|base| timeouts.of(&base.record).expires(base.record.created, base.record.seen))
    }

    /// A token for a form, as [`Session::form_token`] makes one; `None` if there is no session, since this opens
    /// none.
    pub fn form_token(&self) -> Option<String> {
        let id = self.request.with_base(|base| base.record.id)?;
        self.realm.keyring.form_token(&self.realm.cookie.name, &id)
    }

    /// The path prefix of the session's realm; `"/"` for the whole site.
    pub fn realm(&self) -> &'r str {
        &self.realm.path
    }

    /// Looks into the session as it was loaded: its record, its size and its names.
    pub fn inspect(&self) -> Details<'r, T> {
        Details::new(self.realm, self.request)
    }
}

impl<T> Clone for ReadOnly<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ReadOnly<'_, T> {}

/// Shows the realm and why the session is as it is, but nothing of what it holds.
impl<T: SessionData> fmt::Debug for ReadOnly<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnly")
            .field("realm", &self.realm.path)
            .field("arrival", &self.request.arrival())
            .finish_non_exhaustive()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for ReadOnly<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(here(request).await.map(ReadOnly::new))
    }
}

impl<T: SessionData> Sentinel for ReadOnly<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_sessions::<T>(rocket)
    }
}

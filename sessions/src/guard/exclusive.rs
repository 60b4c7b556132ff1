//! A session whose requests take turns.

use std::fmt;
use std::ops::Deref;

use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use super::session::{Session, engine, here, lacks_sessions, outcome};
use crate::data::SessionData;
use crate::error::SessionError;
use crate::load::relock;

/// A [`Session`] that is locked until it has been committed, so that requests that ask for it so take turns.
///
/// What a handler sees was read under the lock: a session that ended while the request waited is anonymous,
/// with its reason. A store without locks cannot make requests take turns: there this is a plain [`Session`],
/// and [`Exclusive::is_locked`] says so.
///
/// ```
/// # use rocket::post;
/// # use serde::{Deserialize, Serialize};
/// # use sealed_sessions::SessionData;
/// use sealed_sessions::Exclusive;
/// # #[derive(Default, Clone, Serialize, Deserialize)]
/// # struct Visitor { views: u64 }
/// # impl SessionData for Visitor {}
///
/// #[post("/count")]
/// fn count(session: Exclusive<'_, Visitor>) {
///     session.update(|visitor| visitor.views += 1);
/// }
/// ```
pub struct Exclusive<'r, T>(Session<'r, T>);

impl<T: SessionData> Exclusive<'_, T> {
    /// Whether other requests for this session wait.
    ///
    /// With `memory`, or a backend without [leases](crate::store::Leases), only those of the same process do. With the
    /// other stores a lock lasts 30 seconds: a handler that takes longer is no longer alone. `false` with the cookie
    /// store, and for a visitor without a session.
    pub fn is_locked(&self) -> bool {
        self.0.request.is_locked()
    }
}

impl<'r, T: SessionData> Deref for Exclusive<'r, T> {
    type Target = Session<'r, T>;

    fn deref(&self) -> &Session<'r, T> {
        &self.0
    }
}

impl<T: SessionData> fmt::Debug for Exclusive<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exclusive").field(&self.0).finish()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Exclusive<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(locked(request).await.map(Exclusive))
    }
}

impl<T: SessionData> Sentinel for Exclusive<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_sessions::<T>(rocket)
    }
}

/// Loads, locks, and loads again.
async fn locked<'r, T: SessionData>(request: &'r Request<'_>) -> Result<Session<'r, T>, SessionError> {
    let session = here(request).await?.used();
    relock(session.realm, session.request, engine::<T>(request)?.clock.seconds()).await?;
    Ok(session)
}

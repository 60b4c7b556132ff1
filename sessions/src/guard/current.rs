//! A session that is the newest that this process has seen.

use std::fmt;
use std::ops::Deref;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use super::session::{Session, lacks_sessions};
use crate::data::SessionData;
use crate::error::{Arrival, SessionError};
use crate::state::Change;

/// A [`Session`] that is not [`Arrival::Stale`]. A request with a stale one gets 409, and its answer seals the session
/// anew ([`Session::reseal`]), so that a visitor who reads why and sends it again is let through.
///
/// The cookie store keeps no session, so a browser can come with one that is older than it should be: it saved a
/// cookie and sends it again, or two answers reached it in the wrong order. With `notice_stale = true` a process
/// remembers the newest version of each session that came to it or left it, and knows an older one. A handler can go
/// on ([`Session`], where the last writer wins), refuse (`Current`), or look at [`Session::arrival`] and merge. Reading,
/// timeouts and tokens are the same as for [`Arrival::Resumed`].
///
/// ```
/// use rocket::post;
/// use sealed_sessions::{Current, Session, SessionData};
/// # use rocket::http::Status;
/// # use rocket::{get, routes};
/// # use sealed_sessions::{Sessions, testing};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Default, Clone, Serialize, Deserialize)]
/// # struct Visitor { cart: Vec<String> }
/// # impl SessionData for Visitor {}
///
/// #[post("/order")]
/// fn order(session: Current<'_, Visitor>) {
///     session.update(|visitor| visitor.cart.clear());
/// }
/// # #[get("/add")]
/// # fn add(session: Session<'_, Visitor>) { session.update(|visitor| visitor.cart.push("tea".into())); }
/// # let figment = testing::figment().merge(("session.notice_stale", true));
/// # let rocket = rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![order, add]);
/// # let browser = rocket::local::blocking::Client::untracked(rocket).unwrap();
/// # let cookie = |answer: &rocket::local::blocking::LocalResponse<'_>| answer.cookies().get("__Host-Http-session").unwrap().clone();
/// # let saved = cookie(&browser.get("/add").dispatch());
/// # browser.get("/add").cookie(saved.clone()).dispatch();
/// // A browser that sends the cookie from before the last change is refused:
/// let refused = browser.post("/order").cookie(saved).dispatch();
/// assert_eq!(refused.status(), Status::Conflict);
/// // With the cookie that this answer has set, it is let through.
/// let resealed = cookie(&refused);
/// assert_eq!(browser.post("/order").cookie(resealed).dispatch().status(), Status::Ok);
/// ```
///
/// It is a notice, not a protection. A process knows what it has seen itself since its start: not what other nodes
/// have written. It remembers 32,768 sessions of a realm that were written at least twice, in 0.8 MB, and forgets those
/// that were used least recently. A session that it does not know is [`Arrival::Resumed`]; of one that is stale there
/// is a newer version. A new id, as a sign-in gives one, starts anew. What must never be undone belongs in a database.
pub struct Current<'r, T>(Session<'r, T>);

impl<T: SessionData> Session<'_, T> {
    /// Seals a [stale](Arrival::Stale) session anew, as it is, above the newest version that this process has seen:
    /// the browser's next request is not stale. A change does so too, even one that leaves the data as it was. Does
    /// nothing to any other session.
    pub fn reseal(&self) {
        if matches!(self.arrival(), Arrival::Stale { .. }) {
            self.request.mark(Change::Modified);
        }
    }
}

impl<'r, T: SessionData> Deref for Current<'r, T> {
    type Target = Session<'r, T>;

    fn deref(&self) -> &Session<'r, T> {
        &self.0
    }
}

impl<T: SessionData> fmt::Debug for Current<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Current").field(&self.0).finish()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Current<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        let session = match request.guard::<Session<'r, T>>().await {
            Outcome::Success(session) => session,
            Outcome::Error(error) => return Outcome::Error(error),
            Outcome::Forward(status) => return Outcome::Forward(status),
        };
        if matches!(session.arrival(), Arrival::Stale { .. }) {
            session.reseal();
            return Outcome::Error((Status::Conflict, SessionError::Stale));
        }
        Outcome::Success(Current(session))
    }
}

impl<T: SessionData> Sentinel for Current<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_sessions::<T>(rocket)
    }
}

//! The session of a request's realm.

use std::fmt;
use std::sync::Arc;

use rocket::futures::future::BoxFuture;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use time::OffsetDateTime;

use crate::clock::moment;
use crate::data::SessionData;
use crate::engine::Engine;
use crate::error::{Arrival, SessionError};
use crate::forms::Refusal;
use crate::inspect::Details;
use crate::ledger::Ledger;
use crate::load::load;
use crate::origin::Site;
use crate::realm::Realm;
use crate::record::id::Id;
use crate::record::timeouts::{Expires, Timeouts};
use crate::request::RequestSession;
use crate::state::Change;

/// The session of the request's realm.
///
/// It is loaded when a request first asks for it and shared by every guard of the request. Its changes are
/// written once, when the response is ready. The guard is `Copy`.
///
/// ```
/// # use rocket::get;
/// # use serde::{Deserialize, Serialize};
/// use sealed_sessions::{Session, SessionData};
///
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Visitor {
///     views: u64,
/// }
///
/// impl SessionData for Visitor {}
///
/// #[get("/")]
/// fn visits(session: Session<'_, Visitor>) -> String {
///     session.update(|visitor| { visitor.views += 1; visitor.views }).to_string()
/// }
/// ```
pub struct Session<'r, T> {
    pub(super) realm: &'r Realm,
    pub(super) request: &'r RequestSession<T>,
}

impl<'r, T: SessionData> Session<'r, T> {
    /// Has the session committed with the response.
    pub(super) fn used(self) -> Self {
        self.request.use_it();
        self
    }

    /// The data as it is now: `T::default()` for a visitor without a session.
    pub fn get(&self) -> Arc<T> {
        self.request.data()
    }

    /// Changes the data and returns what `change` returns.
    ///
    /// Kept with every response but a 5xx, a panic included: then only [`Session::destroy`] counts.
    ///
    /// `change` works on a copy, so it can panic, or use this session again, without breaking anything. An
    /// update that leaves the data unchanged is a no-op: nothing is written, no cookie is set.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.request.update(Change::Modified, change)
    }

    /// Signs a subject in who has just proven who they are: changes the data, gives the session a new id (ASVS
    /// 5.0, 7.2.4) and sets [`Session::signed_in_at`]. Like an [`update`](Session::update), it is not kept with a 5xx.
    ///
    /// ```
    /// # use std::borrow::Cow;
    /// # use rocket::post;
    /// # use serde::{Deserialize, Serialize};
    /// # use sealed_sessions::{Session, SessionData};
    /// # #[derive(Default, Clone, Serialize, Deserialize)]
    /// # struct Visitor { user: Option<String> }
    /// # impl SessionData for Visitor {
    /// #     fn subject(&self) -> Option<Cow<'_, str>> { self.user.as_deref().map(Cow::Borrowed) }
    /// # }
    /// #[post("/login")]
    /// fn login(session: Session<'_, Visitor>) {
    ///     // After the password has been checked:
    ///     session.sign_in(|visitor| visitor.user = Some("ada".into()));
    /// }
    /// ```
    pub fn sign_in<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let answer = self.request.update(Change::Proven, change);
        if self.get().subject().is_none() {
            self.warn_of_nobody();
        }
        answer
    }

    /// Records that the subject has just proven again who they are, by their password, say, before a sensitive
    /// change (ASVS 5.0, 7.5.1): gives the session a new id and sets [`Session::signed_in_at`]. Not kept with a 5xx.
    pub fn reauthenticated(&self) {
        self.request.mark(Change::Proven);
    }

    /// Gives the session a new id and keeps its data. Call it at every change of privilege (ASVS 5.0, 7.2.4);
    /// [`Session::sign_in`] and a change of [`SessionData::subject`] do it by themselves. Not kept with a 5xx.
    pub fn renew(&self) {
        self.request.mark(Change::Renewed);
    }

    /// Ends the session, even if the response is an error; data set afterwards belongs to a new one. If the
    /// store fails, the cookie is removed and the response is 503.
    pub fn destroy(&self) {
        self.request.destroy();
    }

    /// Gives this login the longer timeouts `remember_idle_timeout` and `remember_absolute_timeout`, until its
    /// subject changes. A session that had the shorter ones gets a new id. Without a [subject](SessionData::subject) this
    /// does nothing. Not kept with a 5xx.
    pub fn remember(&self) {
        self.request.remember();
    }

    /// Why the session is as it is: [`Arrival::Resumed`], or why there was none to resume.
    pub fn arrival(&self) -> Arrival {
        self.request.arrival()
    }

    /// When the session was opened, or its subject last proved who they are: where the absolute timeout starts. `None`
    /// for a new one.
    pub fn opened_at(&self) -> Option<OffsetDateTime> {
        self.request.with_base(|base| moment(base.record.created))
    }

    /// When the subject last proved who they are, as of the beginning of this request.
    pub fn signed_in_at(&self) -> Option<OffsetDateTime> {
        self.request.with_base(|base| base.record.signed_in.map(moment)).flatten()
    }

    /// When the session expires, counted from this response; `None` while there is nothing to keep.
    pub fn expires(&self) -> Option<Expires> {
        self.request.expires(&self.realm.timeouts)
    }

    /// The timeouts of the session that was resumed, or of an anonymous one.
    pub fn timeouts(&self) -> Timeouts {
        let timeouts = &self.realm.timeouts;
        self.request.with_base(|base| timeouts.of(&base.record)).unwrap_or(timeouts.anonymous)
    }

    /// A token for a form of this response's page: put it into the hidden field `csrf_token`, and take the form as
    /// [`Protected`](crate::forms::Protected).
    ///
    /// It is different on each page and belongs to the session's id, so a login or a logout ends it. Asking for
    /// one opens a session that is otherwise empty. Empty once the response is under way.
    pub fn form_token(&self) -> String {
        let token = self.request.form_id().and_then(|id| {
            let cookie = &self.realm.cookie.name;
            self.realm.keyring.form_token(cookie, &id)
        });
        token.unwrap_or_default()
    }

    /// Checks the token of a body that is not a form, which a page of this session has sent in a header, say.
    ///
    /// # Errors
    /// Why to refuse the request, with 403.
    pub fn verify(&self, request: &Request<'_>, token: Option<&str>) -> Result<(), Refusal> {
        if matches!(Site::of(request, &self.realm.origins), Site::Sibling | Site::Other) {
            return Err(Refusal::CrossSite);
        }
        let cookie = &self.realm.cookie.name;
        match (self.request.proven_id(), token) {
            (Some(id), Some(token)) if self.realm.keyring.owns_form_token(cookie, &id, token) => Ok(()),
            (None, _) => Err(Refusal::NoCookie),
            _ => Err(Refusal::Token),
        }
    }

    /// The ledger of the session's realm, which ends the sessions of any subject, or everyone's; `None` without the
    /// setting `revocation`. A program beside the app has [`Sessions::operators`](crate::Sessions::operators).
    pub fn ledger(&self) -> Option<&'r Ledger> {
        self.realm.store.ledger().map(|ledger| &**ledger)
    }

    /// Says that a sign-in has none of its effects.
    fn warn_of_nobody(&self) {
        if let Some(count) = self.realm.nameless.occurs(self.request.now) {
            log::warn!(
                "sessions of {:?}: {count} sign-ins left the session without a subject, so that it is an anonymous one: let \
                 {}::subject say who is signed in",
                self.realm.path,
                std::any::type_name::<T>()
            );
        }
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

impl<T> Clone for Session<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Session<'_, T> {}

/// Shows the realm and why the session is as it is, but nothing of what it holds.
impl<T: SessionData> fmt::Debug for Session<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("realm", &self.realm.path)
            .field("arrival", &self.request.arrival())
            .finish_non_exhaustive()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Session<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(here(request).await.map(Session::used))
    }
}

impl<T: SessionData> Sentinel for Session<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_sessions::<T>(rocket)
    }
}

/// The session of the realm that contains the request's path, to be read.
pub(super) async fn here<'r, T: SessionData>(
    request: &'r Request<'_>,
) -> Result<Session<'r, T>, SessionError> {
    let engine = engine::<T>(request)?;
    let Some(realm) = engine.realms.containing(request.uri().path()) else {
        log::error!("a session was asked for at {}, which lies in no realm", request.uri().path());
        return Err(SessionError::OutsideEveryRealm);
    };
    of_realm(engine, request, realm).await
}

/// The session of the realm of this number, loaded unless this request has it already.
pub(super) async fn of_realm<'r, T: SessionData>(
    engine: &'r Engine,
    request: &'r Request<'_>,
    number: usize,
) -> Result<Session<'r, T>, SessionError> {
    let realm = engine.realms.get(number).ok_or(SessionError::OutsideEveryRealm)?;
    let slot = engine.sessions(request).slot(number).ok_or(SessionError::Detached)?;
    let loaded = match slot.get() {
        Some(loaded) => loaded,
        None => {
            let loaded = load(realm, request, engine.clock.seconds()).await;
            slot.get_or_init(|| loaded)
        }
    };
    let request = loaded.as_deref().map_err(|error| *error)?;
    Ok(Session { realm, request })
}

/// Loads the session of a realm for a form: how it arrived, and the id that its forms belong to.
pub(crate) fn form_proof<'r, T: SessionData>(
    engine: &'r Engine,
    request: &'r Request<'_>,
    number: usize,
) -> BoxFuture<'r, Result<(Arrival, Option<Id>), SessionError>> {
    Box::pin(async move {
        let session = of_realm::<T>(engine, request, number).await?;
        Ok((session.arrival(), session.request.proven_id()))
    })
}

pub(super) fn engine<'r, T: SessionData>(request: &'r Request<'_>) -> Result<&'r Engine, SessionError> {
    Engine::of::<T, _>(request.rocket()).ok_or(SessionError::Detached)
}

pub(super) fn outcome<S>(session: Result<S, SessionError>) -> Outcome<S, SessionError> {
    match session {
        Ok(session) => Outcome::Success(session),
        Err(error @ SessionError::Unavailable) => Outcome::Error((Status::ServiceUnavailable, error)),
        Err(error) => Outcome::Error((Status::InternalServerError, error)),
    }
}

/// Refuses to launch an app whose routes take sessions that it does not have.
pub(super) fn lacks_sessions<T: SessionData>(rocket: &Rocket<Ignite>) -> bool {
    if Engine::of::<T, _>(rocket).is_some() {
        return false;
    }
    let name = std::any::type_name::<T>();
    match rocket.state::<Engine>() {
        Some(engine) => {
            let held = engine.data_name;
            log::error!("a route takes Session<{name}>, but the app's sessions hold {held}");
        }
        None => {
            log::error!("a route takes Session<{name}>, but Sessions::<{name}>::fairing() is not attached")
        }
    }
    true
}

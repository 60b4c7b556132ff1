//! What a handler holds: [`Session`], [`Exclusive`] and [`Realms`].

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use time::{Duration, OffsetDateTime};

use super::SessionData;
use super::clock::moment;
use super::cookie::Wire;
use super::error::{Arrival, SessionError};
use super::expiry::Deadlines;
use super::fairing::Engine;
use super::live::{Live, RequestSessions};
use super::load::{Access, load, relock};
use super::realm::Realm;
use super::record::Record;
use super::store::Capabilities;

/// The session of the request's realm, as a request guard.
///
/// It is loaded when a request first asks for it and shared by every guard of the request; what is
/// changed is written once, when the response is ready. A guard is cheap to hand on.
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
    realm: &'r Realm,
    live: &'r Live<T>,
}

impl<'r, T: SessionData> Session<'r, T> {
    /// The data as it is now: empty for a visitor without a session.
    pub fn get(&self) -> Arc<T> {
        self.live.data()
    }

    /// What `look` makes of the data.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.live.data())
    }

    /// Changes the data and returns what `change` returns.
    ///
    /// `change` works on a copy, so it may panic, or ask for this session again, and breaks nothing. A
    /// change that leaves the data as it was is none: nothing is written and no cookie set.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.live.update(change)
    }

    /// Replaces the data.
    pub fn set(&self, data: T) {
        self.live.update(|now| *now = data);
    }

    /// Gives the session a new id and keeps its data. To be called at every change of privilege (ASVS
    /// 5.0, 7.2.4); a change of [`SessionData::subject`] does it by itself.
    pub fn renew(&self) {
        self.live.renew();
    }

    /// Says that the subject has proven who they are just now: at a login, or when they gave their
    /// password again (ASVS 5.0, 7.5.1). Renews, and sets [`Session::signed_in_at`].
    pub fn authenticated(&self) {
        self.live.authenticated();
    }

    /// Ends the session, also when the response is an error; data set afterwards belongs to a new one. If the
    /// store fails, the cookie is expired and the response is 503; if it could not even load, nothing changes.
    pub fn destroy(&self) {
        self.live.destroy();
    }

    /// Gives this login the longer lifetime of `remember_idle_timeout` and `remember_absolute_timeout`.
    /// It lasts until the subject changes.
    pub fn remember(&self) {
        self.live.remember();
    }

    /// Why the session is as it is: [`Arrival::Resumed`], or why there was none to resume.
    pub fn arrival(&self) -> Arrival {
        self.live.arrival
    }

    /// When the session that was resumed was opened.
    pub fn opened_at(&self) -> Option<OffsetDateTime> {
        self.live.with_base(|base| moment(base.record.created))
    }

    /// When the subject of the session that was resumed last proved who they are.
    pub fn signed_in_at(&self) -> Option<OffsetDateTime> {
        self.live.with_base(|base| base.record.signed_in.map(moment)).flatten()
    }

    /// When the session ends unless another request comes; none while there is nothing to keep.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.deadlines().map(|deadlines| deadlines.earliest())
    }

    /// Both ends of the session, as they will be after this response.
    pub fn deadlines(&self) -> Option<Deadlines> {
        self.live.deadlines(&self.realm.lifetimes)
    }

    /// The limits of the session that was resumed, or those of an anonymous one: idle, then absolute.
    pub fn timeouts(&self) -> (Duration, Duration) {
        let lifetimes = &self.realm.lifetimes;
        let lifetime = self.live.with_base(|base| lifetimes.of(&base.record)).unwrap_or(lifetimes.anonymous);
        (Duration::seconds(lifetime.idle), Duration::seconds(lifetime.absolute))
    }

    /// The record as it was loaded. None for a new session.
    pub fn record(&self) -> Option<Record> {
        self.live.with_base(|base| base.record.clone())
    }

    /// The session's name for logs and for people: a keyed hash of its id.
    pub fn handle(&self) -> Option<String> {
        self.live.with_base(|base| self.realm.keyring.handle(&base.record.id))
    }

    /// What the session that was resumed took on the wire.
    pub fn wire(&self) -> Option<Wire> {
        let sizes = self.live.sizes?;
        self.live.with_base(|base| {
            let max_age = self.realm.lifetimes.max_age(&base.record, self.live.now);
            self.realm.cookie.wire(sizes.cookies, sizes.value, base.ticket.text().len(), max_age)
        })
    }

    /// The path prefix of the session's realm; `"/"` for the whole site.
    pub fn realm(&self) -> &'r str {
        if self.realm.path.is_empty() { "/" } else { &self.realm.path }
    }

    /// The name of the session's cookie.
    pub fn cookie_name(&self) -> &'r str {
        &self.realm.cookie.name
    }

    /// Which store keeps the session: the word before the first `:` of the setting `store`.
    pub fn store_name(&self) -> &'r str {
        &self.realm.store_name
    }

    /// What that store can do.
    pub fn capabilities(&self) -> Capabilities {
        self.realm.store.capabilities()
    }
}

impl<T> Clone for Session<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Session<'_, T> {}

/// Shows why the session is as it is and nothing of what it holds.
impl<T> fmt::Debug for Session<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("realm", &self.realm.path)
            .field("arrival", &self.live.arrival)
            .finish_non_exhaustive()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Session<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(here(request, Access::Shared).await)
    }
}

impl<T: SessionData> Sentinel for Session<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_fairing::<T>(rocket)
    }
}

/// A session that is locked before it is loaded and released after it is committed, so that the
/// requests that ask for it so take turns.
///
/// It is all that a [`Session`] is. A store without locks ([`Capabilities::locks`]) cannot make
/// requests take turns: there it is no more than a [`Session`], and [`Exclusive::is_locked`] says so.
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
#[derive(Debug)]
pub struct Exclusive<'r, T>(Session<'r, T>);

impl<T: SessionData> Exclusive<'_, T> {
    /// Whether other requests for this session really wait. A visitor without a session has no lock.
    pub fn is_locked(&self) -> bool {
        self.0.live.is_locked()
    }
}

impl<'r, T> Deref for Exclusive<'r, T> {
    type Target = Session<'r, T>;

    fn deref(&self) -> &Session<'r, T> {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Exclusive<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(here(request, Access::Exclusive).await.map(Exclusive))
    }
}

impl<T: SessionData> Sentinel for Exclusive<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_fairing::<T>(rocket)
    }
}

/// The guard of a page that speaks to several realms at once, wherever the page itself stands.
///
/// ```
/// # use rocket::get;
/// # use serde::{Deserialize, Serialize};
/// # use sealed_sessions::{SessionData, SessionError};
/// use sealed_sessions::Realms;
/// # #[derive(Default, Clone, Serialize, Deserialize)]
/// # struct Visitor { views: u64 }
/// # impl SessionData for Visitor {}
///
/// #[get("/")]
/// async fn overview(realms: Realms<'_, Visitor>) -> String {
///     let mut text = String::new();
///     for path in realms.paths() {
///         match realms.session(path).await {
///             Ok(session) => text.push_str(&format!("{path}: {}\n", session.get().views)),
///             Err(error) => text.push_str(&format!("{path}: {error}\n")),
///         }
///     }
///     text
/// }
/// ```
pub struct Realms<'r, T> {
    engine: &'r Engine<T>,
    sessions: &'r RequestSessions<T>,
    request: &'r Request<'r>,
}

impl<'r, T: SessionData> Realms<'r, T> {
    /// The path prefixes of all realms, in alphabetical order; `"/"` for the whole site.
    pub fn paths(&self) -> impl Iterator<Item = &'r str> + use<'r, T> {
        let realms = self.engine.realms.all().iter();
        realms.map(|realm| if realm.path.is_empty() { "/" } else { realm.path.as_str() })
    }

    pub(super) fn sessions(&self) -> &'r RequestSessions<T> {
        self.sessions
    }

    /// The realm that the request's own path lies in.
    pub fn here(&self) -> Option<&'r str> {
        let number = self.engine.realms.containing(self.request.uri().path())?;
        self.paths().nth(number)
    }

    /// Which store keeps the sessions of the realm at `path`, as [`Session::store_name`] says it.
    pub fn store_name(&self, path: &str) -> Option<&'r str> {
        let realm = self.engine.realms.named(path)?;
        self.engine.realms.all().get(realm).map(|realm| realm.store_name.as_str())
    }

    /// The session of the realm at `path`, loaded now unless this request has it already.
    ///
    /// # Errors
    /// When no realm has this path, or its store cannot be asked.
    pub async fn session(&self, path: &str) -> Result<Session<'r, T>, SessionError> {
        let realm = self.engine.realms.named(path).ok_or(SessionError::OutsideEveryRealm)?;
        get(self.engine, self.sessions, self.request, realm, Access::Shared).await
    }
}

impl<T> fmt::Debug for Realms<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.engine.realms.all().iter().map(|realm| &realm.path)).finish()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Realms<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(parts(request).map(|(engine, sessions)| Realms { engine, sessions, request }))
    }
}

impl<T: SessionData> Sentinel for Realms<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_fairing::<T>(rocket)
    }
}

/// The session of the realm that the request's path lies in.
async fn here<'r, T: SessionData>(
    request: &'r Request<'_>,
    access: Access,
) -> Result<Session<'r, T>, SessionError> {
    let (engine, sessions) = parts(request)?;
    let Some(realm) = engine.realms.containing(request.uri().path()) else {
        log::error!("a session was asked for at {}, which lies in no realm", request.uri().path());
        return Err(SessionError::OutsideEveryRealm);
    };
    get(engine, sessions, request, realm, access).await
}

async fn get<'r, T: SessionData>(
    engine: &'r Engine<T>,
    sessions: &'r RequestSessions<T>,
    request: &'r Request<'_>,
    number: usize,
    access: Access,
) -> Result<Session<'r, T>, SessionError> {
    let realm = engine.realms.all().get(number).ok_or(SessionError::OutsideEveryRealm)?;
    let slot = sessions.slot(number).ok_or(SessionError::Detached)?;
    let loaded = match slot.get() {
        Some(loaded) => loaded,
        None => {
            let loaded = load(realm, request, access, engine.clock.seconds()).await;
            slot.get_or_init(|| loaded)
        }
    };
    let live = loaded.as_ref().map_err(|error| *error)?;
    if access == Access::Exclusive {
        relock(realm, live, engine.clock.seconds()).await?;
    }
    Ok(Session { realm, live })
}

fn parts<'r, T: SessionData>(
    request: &'r Request<'_>,
) -> Result<(&'r Engine<T>, &'r RequestSessions<T>), SessionError> {
    let engine = request.rocket().state::<Engine<T>>().ok_or(SessionError::Detached)?;
    let sessions =
        request.local_cache(|| RequestSessions::new(engine.realms.all().len(), engine.requests.enter()));
    Ok((engine, sessions))
}

fn outcome<S>(session: Result<S, SessionError>) -> Outcome<S, SessionError> {
    match session {
        Ok(session) => Outcome::Success(session),
        Err(error @ SessionError::Unavailable) => Outcome::Error((Status::ServiceUnavailable, error)),
        Err(error) => Outcome::Error((Status::InternalServerError, error)),
    }
}

fn lacks_fairing<T: SessionData>(rocket: &Rocket<Ignite>) -> bool {
    let lacks = rocket.state::<Engine<T>>().is_none();
    if lacks {
        let name = std::any::type_name::<T>();
        log::error!("a route takes Session<{name}>, but Sessions::<{name}>::fairing() is not attached");
    }
    lacks
}

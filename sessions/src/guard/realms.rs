//! The sessions of several realms in one page.

use std::fmt;
use std::marker::PhantomData;

use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use super::others::Ended;
use super::read_only::ReadOnly;
use super::session::{Session, engine, lacks_sessions, of_realm, outcome};
use crate::data::SessionData;
use crate::engine::Engine;
use crate::error::SessionError;
use crate::events::{About, By, Kind, RequestId};
use crate::realm::Realm;
use crate::record::timeouts::Timeouts;
use crate::store::Powers;

/// The guard of a page that works with several realms at once, wherever the page itself is mounted.
///
/// ```
/// # use rocket::get;
/// # use serde::{Deserialize, Serialize};
/// # use sealed_sessions::SessionData;
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
    engine: &'r Engine,
    request: &'r Request<'r>,
    data: PhantomData<fn() -> T>,
}

impl<'r, T: SessionData> Realms<'r, T> {
    /// The path prefixes of all realms, in alphabetical order; `"/"` for the whole site.
    pub fn paths(&self) -> impl Iterator<Item = &'r str> + use<'r, T> {
        self.engine.realms.iter().map(|realm| realm.path.as_str())
    }

    /// The realm that contains the request's own path.
    pub fn here(&self) -> Option<&'r str> {
        let number = self.engine.realms.containing(self.request.uri().path())?;
        self.paths().nth(number)
    }

    /// The store of the realm at `path`: the part of the setting `store` before the first `:`.
    pub fn store_name(&self, path: &str) -> Option<&'r str> {
        self.named(path).map(|realm| realm.store_name.as_str())
    }

    /// What the server can do to the sessions of the realm at `path`.
    pub fn powers(&self, path: &str) -> Option<Powers> {
        self.named(path).map(|realm| realm.store.powers())
    }

    /// The timeouts of a signed-in session of the realm at `path`.
    pub fn timeouts(&self, path: &str) -> Option<Timeouts> {
        self.named(path).map(|realm| realm.timeouts.signed_in)
    }

    /// The timeouts in the realm at `path` of a login that asked to be [remembered](Session::remember): what a form can
    /// say of it beforehand.
    pub fn remembered_timeouts(&self, path: &str) -> Option<Timeouts> {
        self.named(path).map(|realm| realm.timeouts.remembered)
    }

    /// Ends all sessions of a subject in the realm at `path`: after a password change, say, in the realms that the
    /// request does not lie in (ASVS 5.0, 7.4.2 and 7.4.3). This request's session of that realm ends too, if it is the
    /// subject's; to keep it call [`Session::end_others`].
    ///
    /// ```
    /// # use rocket::post;
    /// # use serde::{Deserialize, Serialize};
    /// # use sealed_sessions::{Ended, Realms, SessionData, SessionError};
    /// # #[derive(Default, Clone, Serialize, Deserialize)]
    /// # struct Visitor { views: u64 }
    /// # impl SessionData for Visitor {}
    /// async fn end_everywhere(realms: Realms<'_, Visitor>, subject: &str) -> Result<(), SessionError> {
    ///     for path in realms.paths() {
    ///         if realms.end_subject(path, subject).await? == Ended::Unable {
    ///             // Cookies alone: a guard has to compare a stamp.
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When no realm has this path, or its store does not answer: some may live on.
    pub async fn end_subject(&self, path: &str, subject: &str) -> Result<Ended, SessionError> {
        let realm = self.named(path).ok_or(SessionError::OutsideEveryRealm)?;
        let request = realm.teller.is_heard().then(|| RequestId::of(self.request));
        let ended = realm.store.end_all(subject, None, self.engine.clock.seconds()).await;
        let ended = ended.map_err(|error| {
            realm.fault(request, "end the sessions of a subject", &error);
            SessionError::Unavailable
        })?;
        let Some(ended) = ended else { return Ok(Ended::Unable) };
        let about = About { subject: Some(subject), request, ..About::default() };
        realm.teller.tell(Kind::AllEnded { by: By::App, count: ended.count() }, about);
        Ok(ended.count().map_or(Ended::Uncounted, Ended::Sessions))
    }

    fn named(&self, path: &str) -> Option<&'r Realm> {
        self.engine.realms.get(self.engine.realms.named(path)?).map(|realm| &**realm)
    }

    /// Whether the realm at `path` has a ledger, which ends its cookie sessions: the setting `revocation`.
    pub fn has_ledger(&self, path: &str) -> bool {
        let realm = self.engine.realms.named(path).and_then(|number| self.engine.realms.get(number));
        realm.is_some_and(|realm| realm.store.ledger().is_some())
    }

    /// The session of the realm at `path`, loaded unless this request has it already.
    ///
    /// # Errors
    /// When no realm has this path, or its store does not answer.
    pub async fn session(&self, path: &str) -> Result<Session<'r, T>, SessionError> {
        let number = self.engine.realms.named(path).ok_or(SessionError::OutsideEveryRealm)?;
        of_realm(self.engine, self.request, number).await.map(Session::used)
    }

    /// The session of the realm at `path`, read without using it.
    ///
    /// # Errors
    /// When no realm has this path, or its store does not answer.
    pub async fn read_only(&self, path: &str) -> Result<ReadOnly<'r, T>, SessionError> {
        let number = self.engine.realms.named(path).ok_or(SessionError::OutsideEveryRealm)?;
        of_realm(self.engine, self.request, number).await.map(ReadOnly::new)
    }
}

impl<T> fmt::Debug for Realms<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.engine.realms.iter().map(|realm| &realm.path)).finish()
    }
}

#[rocket::async_trait]
impl<'r, T: SessionData> FromRequest<'r> for Realms<'r, T> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionError> {
        outcome(engine::<T>(request).map(|engine| Realms { engine, request, data: PhantomData }))
    }
}

impl<T: SessionData> Sentinel for Realms<'_, T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        lacks_sessions::<T>(rocket)
    }
}

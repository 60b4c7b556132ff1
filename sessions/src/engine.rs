//! What all requests of an app share, and the sessions that one request has asked for.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rocket::figment::Figment;
use rocket::futures::future::BoxFuture;
use rocket::{Phase, Request, Rocket};
use smallvec::SmallVec;

use crate::clock::Clock;
use crate::data::SessionData;
use crate::encoding::encoded;
use crate::error::{Arrival, SessionError};
use crate::lifecycle::{Requests, Upkeep};
use crate::realm::config_error::ConfigError;
use crate::realm::map::RealmMap;
use crate::realm::{Given, Realm};
use crate::record::id::Id;
use crate::request::RequestSession;

/// The sessions of an app, whatever their type.
pub(crate) struct Engine {
    pub(crate) realms: RealmMap,
    pub(crate) clock: Arc<dyn Clock>,
    /// The encoding of `T::default()`: such a session is not worth keeping.
    pub(crate) empty: String,
    pub(crate) requests: Requests,
    /// Runs while the app serves.
    pub(crate) upkeep: OnceLock<Upkeep>,
    /// The routes whose cache policy has been replaced, and a warning logged.
    public_routes: Mutex<HashSet<String>>,
    /// The realm whose session a form outside of every realm belongs to.
    default_realm: Option<String>,
    form_proof: FormProof,
    data: TypeId,
    pub(crate) data_name: &'static str,
}

impl Engine {
    pub(crate) fn new<T: SessionData>(figment: &Figment, setup: &Setup<'_>) -> Result<Engine, ConfigError> {
        let data_name = std::any::type_name::<T>();
        let refuse = |problem: String| {
            ConfigError::new(format!("the session's type {data_name}"), problem, "a struct with named fields")
        };
        let empty = serde_json::to_string(&T::default())
            .map_err(|error| refuse(format!("cannot be written: {error}")))?;
        if !empty.starts_with('{') {
            return Err(refuse("is not written as a JSON object".into()));
        }
        // Its default holds no secret, so what serde says of it can be shown.
        if let Err(error) = serde_json::from_str::<T>(&empty) {
            return Err(refuse(format!("does not read its own default back: {error}")));
        }
        if encoded(&T::default(), "{}").is_err() {
            return Err(refuse("reads its own default back as something else".into()));
        }
        let realms = RealmMap::new(figment, &setup.given)?;
        if let Some(path) = &setup.default_realm
            && realms.named(path).is_none()
        {
            let paths: Vec<_> = realms.iter().map(|realm| format!("{:?}", realm.path)).collect();
            let problem = format!("is {path:?}, which is no realm");
            return Err(ConfigError::new("Sessions::default_realm", problem, paths.join(", ")));
        }
        Ok(Engine {
            realms,
            clock: Arc::clone(setup.given.clock),
            empty,
            requests: Requests::default(),
            upkeep: OnceLock::new(),
            public_routes: Mutex::default(),
            default_realm: setup.default_realm.clone(),
            form_proof: setup.form_proof,
            data: TypeId::of::<T>(),
            data_name,
        })
    }

    /// The app's engine, if its sessions hold a `T`.
    pub(crate) fn of<T: SessionData, P: Phase>(rocket: &Rocket<P>) -> Option<&Engine> {
        rocket.state::<Engine>().filter(|engine| engine.data == TypeId::of::<T>())
    }

    /// The session that a form of this request belongs to: that of its realm, or of the default realm.
    pub(crate) async fn form_session<'r>(
        &'r self,
        request: &'r Request<'_>,
    ) -> Result<FormSession<'r>, SessionError> {
        let default = || self.realms.named(self.default_realm.as_deref()?);
        let number = self.realms.containing(request.uri().path()).or_else(default);
        let Some((number, realm)) = number.and_then(|number| Some((number, self.realms.get(number)?))) else {
            log::error!(
                "a form came to {}, which lies in no realm, and there is no Sessions::default_realm",
                request.uri().path()
            );
            return Err(SessionError::OutsideEveryRealm);
        };
        let (arrival, id) = (self.form_proof)(self, request, number).await?;
        Ok(FormSession { realm, arrival, id })
    }

    /// Says, once for each route, that a shared cache must not keep its responses.
    pub(crate) fn warn_of_public_route(&self, request: &Request<'_>) {
        let route =
            request.route().map_or_else(|| request.uri().path().to_string(), |route| route.uri.to_string());
        let mut routes = self.public_routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains(&route) {
            log::warn!(
                "{route} lets shared caches keep a response that sets a session's cookie: Cache-Control is \
                 no-store instead"
            );
            routes.insert(route);
        }
    }

    /// This request's sessions.
    pub(crate) fn sessions<'r, T: SessionData>(&self, request: &'r Request<'_>) -> &'r RequestSessions<T> {
        request.local_cache(|| RequestSessions {
            slots: (0..self.realms.len()).map(|_| OnceLock::new()).collect(),
            entered: Some(self.requests.enter()),
        })
    }
}

/// What the app sets up beside its configuration.
pub(crate) struct Setup<'s> {
    pub(crate) given: Given<'s>,
    pub(crate) default_realm: Option<String>,
    pub(crate) form_proof: FormProof,
}

/// Loads the session of a realm, whatever its type: how it arrived, and the id that its forms belong to.
pub(crate) type FormProof = for<'r, 'q> fn(
    &'r Engine,
    &'r Request<'q>,
    usize,
) -> BoxFuture<'r, Result<(Arrival, Option<Id>), SessionError>>;

/// The session that a form belongs to.
pub(crate) struct FormSession<'r> {
    pub(crate) realm: &'r Realm,
    pub(crate) arrival: Arrival,
    pub(crate) id: Option<Id>,
}

impl FormSession<'_> {
    /// Whether a token is this session's.
    pub(crate) fn owns(&self, token: &str) -> bool {
        let Realm { keyring, cookie, .. } = self.realm;
        self.id.is_some_and(|id| keyring.owns_form_token(&cookie.name, &id, token))
    }
}

/// The sessions that a request has asked for, by realm. Most apps have one realm, whose slot needs no
/// allocation of its own.
pub(crate) struct RequestSessions<T> {
    slots: SmallVec<[Slot<T>; 1]>,
    /// Keeps the stores open until this request has been answered.
    #[expect(dead_code, reason = "held for its Drop")]
    entered: Option<Arc<()>>,
}

/// Two guards that load at the same time both load; the first to finish is used.
type Slot<T> = OnceLock<Result<Box<RequestSession<T>>, SessionError>>;

impl<T> RequestSessions<T> {
    /// The sessions of a request that is already being answered: none, unless it has asked before.
    pub(crate) fn answered<'r>(request: &'r Request<'_>) -> &'r RequestSessions<T>
    where
        T: SessionData,
    {
        request.local_cache(|| RequestSessions { slots: SmallVec::new(), entered: None })
    }

    pub(crate) fn slot(&self, realm: usize) -> Option<&Slot<T>> {
        self.slots.get(realm)
    }

    /// The sessions that were loaded, with their realms.
    pub(crate) fn loaded<'e>(
        &'e self,
        realms: &'e RealmMap,
    ) -> impl Iterator<Item = (&'e Realm, &'e RequestSession<T>)> {
        let slots = realms.iter().zip(&self.slots);
        slots.filter_map(|(realm, slot)| Some((&**realm, slot.get()?.as_deref().ok()?)))
    }
}

//! What all requests of an app share, and the sessions that one request has asked for.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use rocket::figment::Figment;
use rocket::{Phase, Request, Rocket};
use smallvec::SmallVec;

use crate::clock::Clock;
use crate::data::SessionData;
use crate::error::SessionError;
use crate::lifecycle::{Requests, Upkeep};
use crate::realm::config_error::ConfigError;
use crate::realm::map::RealmMap;
use crate::realm::{NamedStore, Realm};
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
    data: TypeId,
    pub(crate) data_name: &'static str,
}

impl Engine {
    pub(crate) fn new<T: SessionData>(
        figment: &Figment,
        stores: &[NamedStore],
        clock: &Arc<dyn Clock>,
    ) -> Result<Engine, ConfigError> {
        let data_name = std::any::type_name::<T>();
        let refuse = |problem: String| {
            ConfigError::new(format!("the session's type {data_name}"), problem, "a struct with named fields")
        };
        let empty = serde_json::to_string(&T::default())
            .map_err(|error| refuse(format!("cannot be written: {error}")))?;
        if !empty.starts_with('{') {
            return Err(refuse("is not written as a JSON object".into()));
        }
        Ok(Engine {
            realms: RealmMap::new(figment, stores)?,
            clock: Arc::clone(clock),
            empty,
            requests: Requests::default(),
            upkeep: OnceLock::new(),
            data: TypeId::of::<T>(),
            data_name,
        })
    }

    /// The app's engine, if its sessions hold a `T`.
    pub(crate) fn of<T: SessionData, P: Phase>(rocket: &Rocket<P>) -> Option<&Engine> {
        rocket.state::<Engine>().filter(|engine| engine.data == TypeId::of::<T>())
    }

    /// This request's sessions.
    pub(crate) fn sessions<'r, T: SessionData>(&self, request: &'r Request<'_>) -> &'r RequestSessions<T> {
        request.local_cache(|| RequestSessions {
            slots: (0..self.realms.len()).map(|_| OnceLock::new()).collect(),
            entered: Some(self.requests.enter()),
        })
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

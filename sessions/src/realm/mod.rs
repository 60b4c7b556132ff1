//! Realms: path prefixes whose sessions have a cookie, a store and settings of their own.

pub(crate) mod config_error;
mod duration;
pub(crate) mod map;
pub(crate) mod max_sessions;
mod secret_key;
pub(crate) mod settings;

use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::sync::watch;

use self::config_error::ConfigError;
use self::max_sessions::MaxSessions;
use self::settings::RealmSettings;
use crate::clock::Clock;
use crate::cookie::format::CookieFormat;
use crate::cookie::keyring::Keyring;
use crate::error::StoreError;
use crate::events::{About, Kind, Listener, RequestId, Teller};
use crate::ledger::{self, Ledger, Log, Revocable, Terms};
use crate::occasional::Occasional;
use crate::record::timeouts::RealmTimeouts;
use crate::record::versions::Versions;
use crate::store::bounded::BoundedStore;
use crate::store::open::{open, schemes};
use crate::store::{Sealer, Store, StoreOptions};

/// One realm of an app.
pub(crate) struct Realm {
    /// The path prefix; `/` for the whole site.
    pub(crate) path: String,
    pub(crate) store: BoundedStore,
    pub(crate) store_name: String,
    pub(crate) store_required: bool,
    pub(crate) sweep_interval: Duration,
    /// The most that a session may hold in a store on the server, in bytes.
    pub(crate) max_session_bytes: usize,
    /// How many sessions a subject may have, if anything limits them.
    pub(crate) max_sessions: Option<MaxSessions>,
    /// Origins that forms may come from beside the request's own.
    pub(crate) origins: Vec<String>,
    pub(crate) cookie: CookieFormat,
    pub(crate) timeouts: RealmTimeouts,
    /// What the browsers of cookie sessions should have by now.
    pub(crate) versions: Versions,
    pub(crate) keyring: Arc<Keyring>,
    /// Tells the app what happens to sessions.
    pub(crate) teller: Teller,
    /// Sessions whose data could not be read.
    pub(crate) unreadable: Occasional,
    /// Browsers that sent two live sessions.
    pub(crate) ambiguous: Occasional,
    /// Sign-ins that left the session without a subject.
    pub(crate) nameless: Occasional,
    /// Uses of sessions that could not be noted.
    pub(crate) unnoted: Occasional,
    /// Long responses that cannot learn whether their sessions go on.
    pub(crate) unasked: Occasional,
    pub(crate) clock: Arc<dyn Clock>,
    is_stopping: watch::Sender<bool>,
}

/// A store that the app brings, by the name that the setting `store` chooses it by.
pub(crate) type NamedStore = (String, Arc<dyn Store>);

/// A log that the app brings, by the name that the setting `revocation` chooses it by.
pub(crate) type NamedLog = (String, Arc<dyn Log>);

/// What an app puts around the store of each realm.
pub(crate) type WrapStore = Box<dyn Fn(Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync>;

/// What the app gives to its realms.
pub(crate) struct Given<'g> {
    pub(crate) stores: &'g [NamedStore],
    pub(crate) logs: &'g [NamedLog],
    pub(crate) wrap_store: Option<&'g WrapStore>,
    pub(crate) listeners: &'g [Arc<dyn Listener>],
    pub(crate) clock: &'g Arc<dyn Clock>,
}

/// The value of `revocation` that turns an inherited one off.
const NO_REVOCATION: &str = "none";

impl Realm {
    pub(crate) fn new(settings: RealmSettings, given: &Given<'_>) -> Result<Realm, ConfigError> {
        let scheme = settings.store.split(':').next().unwrap_or_default().to_owned();
        let named = given.stores.iter().find(|(name, _)| *name == scheme);
        let opened = match named {
            Some((_, store)) => Ok(Arc::clone(store)),
            None => open(&settings.store, &settings.namespace),
        };
        let store = opened.map_err(|problem| {
            let names = schemes().chain(given.stores.iter().map(|(name, _)| name.as_str()));
            ConfigError::new(format!("{}.store", settings.table), problem, quoted(names))
        })?;
        let teller = Teller::new(given.listeners, &settings.path, &settings.keyring);
        let ledger = ledger(&settings, given, &teller)?;
        let store = match &ledger {
            Some(ledger) => Arc::new(Revocable::new(Arc::clone(ledger))),
            None => store,
        };
        let store = match given.wrap_store {
            Some(wrap) => wrapped(store, wrap, &settings.path)?,
            None => store,
        };
        let store =
            BoundedStore::new(store, ledger, teller.clone(), settings.store_timeout, settings.lock_timeout);
        // The cookie store's records are sealed whole in any case, and it keeps none.
        if scheme != "cookie" {
            let options = StoreOptions {
                sealer: Sealer::new(Arc::clone(&settings.keyring)),
                seal_at_rest: settings.seal_at_rest,
                max_anonymous: settings.max_anonymous_sessions,
            };
            store.configure(options).map_err(|setting| {
                let problem = format!("is set, but the store {scheme:?} cannot follow it");
                ConfigError::new(
                    format!("{}.{setting}", settings.table),
                    problem,
                    "a ServerStore, or no such setting",
                )
            })?;
        }
        // A server store has one version of a session.
        let notices = settings.notice_stale && !store.is_on_server();
        if let Some(limit) = settings.max_sessions {
            limit.check(&settings.table, &scheme, &store)?;
        }
        Ok(Realm {
            path: settings.path,
            store,
            store_name: scheme,
            store_required: settings.store_required,
            sweep_interval: settings.sweep_interval,
            max_session_bytes: settings.max_session_bytes,
            max_sessions: settings.max_sessions,
            origins: settings.origins,
            cookie: CookieFormat::new(&settings.cookie),
            timeouts: settings.timeouts,
            versions: if notices { Versions::noticing() } else { Versions::default() },
            keyring: settings.keyring,
            teller,
            unreadable: Occasional::new(),
            ambiguous: Occasional::new(),
            nameless: Occasional::new(),
            unnoted: Occasional::new(),
            unasked: Occasional::new(),
            clock: Arc::clone(given.clock),
            is_stopping: watch::Sender::new(false),
        })
    }

    /// Logs a fault of the store, and tells of it. `what` is what could not be done.
    pub(crate) fn fault(&self, request: Option<RequestId>, what: &str, error: &StoreError) {
        let why = format!("cannot {what}: {error}");
        if !self.teller.logs() {
            log::error!("sessions of {:?}: {why}", self.path);
        }
        self.teller.tell(Kind::StoreFault, About { request, why: Some(&why), ..About::default() });
    }

    /// Waits until the app stops.
    pub(crate) async fn stops(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.is_stopping.subscribe().wait_for(|is_stopping| *is_stopping).await;
    }

    /// Tells long responses that the app stops.
    pub(crate) fn stop(&self) {
        self.is_stopping.send_replace(true);
    }
}

/// What the app makes of a store. A facet that it forgot would be switched off without a word: sealing at rest, say.
fn wrapped(store: Arc<dyn Store>, wrap: &WrapStore, path: &str) -> Result<Arc<dyn Store>, ConfigError> {
    let inner = Arc::clone(&store);
    let store = wrap(store);
    let lacks = facets(&*inner).into_iter().zip(facets(&*store)).find(|(before, after)| before.1 && !after.1);
    match lacks {
        None => Ok(store),
        Some(((facet, _), _)) => Err(ConfigError::new(
            format!("the store that wrap_store makes for {path:?}"),
            format!("has no facet {facet:?}, unlike the store that it wraps"),
            "a store with every facet of the one that it was given",
        )),
    }
}

/// What a store can do besides keeping sessions.
fn facets(store: &dyn Store) -> [(&'static str, bool); 5] {
    [
        ("revoke", store.revoke().is_some()),
        ("list", store.list().is_some()),
        ("everyone", store.everyone().is_some()),
        ("locks", store.locks().is_some()),
        ("service", store.service().is_some()),
    ]
}

/// The ledger of a realm whose settings ask for one.
fn ledger(
    settings: &RealmSettings,
    given: &Given<'_>,
    teller: &Teller,
) -> Result<Option<Arc<Ledger>>, ConfigError> {
    let Some(setting) = settings.revocation.as_deref().filter(|setting| *setting != NO_REVOCATION) else {
        return Ok(None);
    };
    let refuse = |problem: String, accepted: String| {
        ConfigError::new(format!("{}.revocation", settings.table), problem, accepted)
    };
    if settings.store != "cookie" {
        let scheme = settings.store.split(':').next().unwrap_or_default();
        return Err(refuse(
            format!("is set, but sessions in the store {scheme:?} are ended there"),
            format!("{NO_REVOCATION:?}, or store = \"cookie\""),
        ));
    }
    let named = given.logs.iter().find(|(name, _)| name == setting);
    let opened = match named {
        Some((_, log)) => Ok(Arc::clone(log)),
        None => ledger::open(setting, &settings.namespace),
    };
    let log = opened.map_err(|problem| {
        let names = ledger::schemes().chain(given.logs.iter().map(|(name, _)| name.as_str()));
        refuse(problem, quoted(names.chain([NO_REVOCATION])))
    })?;
    let terms = Terms {
        timeouts: settings.timeouts,
        max_age: settings.revocation_max_age,
        timeout: settings.store_timeout,
        teller: teller.clone(),
    };
    let sealer = Sealer::new(Arc::clone(&settings.keyring));
    Ok(Some(Arc::new(Ledger::new(log, &settings.namespace, sealer, Arc::clone(given.clock), terms))))
}

fn quoted<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

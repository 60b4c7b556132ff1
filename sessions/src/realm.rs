//! Realms: which settings hold for which path.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Duration;

use rocket::http::uri::Path;
use rocket::tokio::time::timeout;

use super::config::{ConfigError, RealmSettings, Settings};
use super::cookie::CookieFormat;
use super::error::StoreError;
use super::expiry::Lifetimes;
use super::keyring::Keyring;
use super::store::{Lock, SealedAtRest, Store, open_store, schemes};

/// A path prefix whose sessions have their own cookie, store and settings.
pub(crate) struct Realm {
    pub(crate) path: String,
    segments: Vec<String>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) store_name: String,
    pub(crate) store_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) store_required: bool,
    /// The store could not be started at launch.
    pub(crate) waiting: AtomicBool,
    pub(crate) sweep_interval: Duration,
    pub(crate) cookie: CookieFormat,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) keyring: Keyring,
}

impl Realm {
    fn new(settings: &Settings, own: &RealmSettings, stores: &[NamedStore]) -> Result<Realm, ConfigError> {
        let scheme = own.store.split(':').next().unwrap_or_default();
        let given = stores.iter().find(|(name, _)| name == scheme).map(|(_, store)| Arc::clone(store));
        let opened = given.map_or_else(|| open_store(&own.store, &own.cookie.name), Ok);
        let store = opened.map_err(|problem| {
            let names = schemes().chain(stores.iter().map(|(name, _)| name.as_str()));
            let accepted = names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            ConfigError::new(format!("{}.store", own.table), problem, accepted)
        })?;
        let keyring = || {
            Keyring::new(&settings.secret_key, &own.previous_keys).map_err(|problem| {
                ConfigError::new(
                    format!("{}.previous_keys", own.table),
                    problem.to_string(),
                    "different keys",
                )
            })
        };
        // A cookie is sealed whole.
        let store: Arc<dyn Store> = match own.seal_at_rest && store.capabilities().server_side {
            true => Arc::new(SealedAtRest::new(store, keyring()?)),
            false => store,
        };
        Ok(Realm {
            path: own.path.clone(),
            segments: own.path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            store,
            store_name: scheme.to_owned(),
            store_timeout: own.store_timeout,
            lock_timeout: own.lock_timeout,
            store_required: own.store_required,
            waiting: AtomicBool::new(false),
            sweep_interval: own.sweep_interval,
            cookie: CookieFormat::new(&own.cookie),
            lifetimes: own.lifetimes,
            keyring: keyring()?,
        })
    }

    /// Waits for the store, but no longer than `store_timeout`. One that answers at once needs no timer.
    pub(crate) async fn bounded<V>(
        &self,
        answer: impl Future<Output = Result<V, StoreError>> + Unpin,
    ) -> Result<V, StoreError> {
        within(self.store_timeout, answer).await
    }

    /// Locks a session of the store.
    pub(crate) async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        within(self.lock_timeout, self.store.lock(ticket)).await
    }
}

async fn within<V>(
    limit: Duration,
    answer: impl Future<Output = Result<V, StoreError>> + Unpin,
) -> Result<V, StoreError> {
    let mut answer = answer;
    match poll_fn(|context| Poll::Ready(Pin::new(&mut answer).poll(context))).await {
        Poll::Ready(answer) => answer,
        Poll::Pending => timeout(limit, answer).await.unwrap_or(Err(StoreError::TimedOut)),
    }
}

/// A store under the word that a setting names it by.
pub(crate) type NamedStore = (String, Arc<dyn Store>);

/// All realms of an app.
pub(crate) struct RealmMap(Vec<Realm>);

impl RealmMap {
    pub(crate) fn new(settings: &Settings, stores: &[NamedStore]) -> Result<RealmMap, ConfigError> {
        let realms = settings.realms.iter().map(|own| Realm::new(settings, own, stores));
        Ok(RealmMap(realms.collect::<Result<_, _>>()?))
    }

    pub(crate) fn all(&self) -> &[Realm] {
        &self.0
    }

    /// The realm of a request: the longest prefix by whole decoded segments, as Rocket routes.
    pub(crate) fn containing(&self, path: Path<'_>) -> Option<usize> {
        if let [Realm { segments, .. }] = &self.0[..]
            && segments.is_empty()
        {
            return Some(0);
        }
        let path = path.segments();
        let contains = |realm: &Realm| {
            realm.segments.iter().enumerate().all(|(n, segment)| path.get(n) == Some(segment.as_str()))
        };
        let candidates = self.0.iter().enumerate().filter(|(_, realm)| contains(realm));
        candidates.max_by_key(|(_, realm)| realm.segments.len()).map(|(n, _)| n)
    }

    /// The realm mounted at exactly this path.
    pub(crate) fn named(&self, path: &str) -> Option<usize> {
        self.0.iter().position(|realm| realm.path == path.trim_end_matches('/'))
    }
}

//! Which realm a path belongs to.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::http::uri::Path;

use super::config_error::ConfigError;
use super::settings::RealmSettings;
use super::{Given, Realm, settings};

/// All realms of an app, in alphabetical order.
pub(crate) struct RealmMap(Vec<Entry>);

struct Entry {
    /// The realm's path, decoded.
    segments: Vec<String>,
    realm: Arc<Realm>,
}

impl RealmMap {
    pub(crate) fn new(figment: &Figment, given: &Given<'_>) -> Result<RealmMap, ConfigError> {
        let entry = |settings| {
            let realm = Realm::new(settings, given)?;
            let segments = realm.path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
            Ok(Entry { segments: segments.collect(), realm: Arc::new(realm) })
        };
        let settings = settings::read(figment)?;
        own_stores(&settings, given)?;
        Ok(RealmMap(settings.into_iter().map(entry).collect::<Result<_, _>>()?))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Realm>> {
        self.0.iter().map(|entry| &entry.realm)
    }

    pub(crate) fn get(&self, number: usize) -> Option<&Arc<Realm>> {
        self.0.get(number).map(|entry| &entry.realm)
    }

    /// The realm of a request: the longest prefix by whole decoded segments, as Rocket routes.
    pub(crate) fn containing(&self, path: Path<'_>) -> Option<usize> {
        if let [Entry { segments, .. }] = &self.0[..]
            && segments.is_empty()
        {
            return Some(0);
        }
        let path = path.segments();
        let contains = |entry: &Entry| {
            entry.segments.iter().enumerate().all(|(n, segment)| path.get(n) == Some(segment.as_str()))
        };
        let candidates = self.0.iter().enumerate().filter(|(_, entry)| contains(entry));
        candidates.max_by_key(|(_, entry)| entry.segments.len()).map(|(number, _)| number)
    }

    /// The realm of exactly this path.
    pub(crate) fn named(&self, path: &str) -> Option<usize> {
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { "/" };
        self.iter().position(|realm| realm.path == path)
    }
}

/// Refuses two realms on one store, or one log, that the app brings: what is in it is filed under one namespace, and
/// sealed or not, so that each realm would have the other's sessions in its lists.
fn own_stores(settings: &[RealmSettings], given: &Given<'_>) -> Result<(), ConfigError> {
    let store = |realm: &RealmSettings| {
        let scheme = realm.store.split(':').next().unwrap_or_default();
        given.stores.iter().map(|(name, _)| name).find(|name| *name == scheme).cloned()
    };
    let log = |realm: &RealmSettings| {
        let setting = realm.revocation.as_deref()?;
        given.logs.iter().map(|(name, _)| name).find(|name| *name == setting).cloned()
    };
    for (number, realm) in settings.iter().enumerate() {
        for (key, own) in
            [("store", &store as &dyn Fn(&RealmSettings) -> Option<String>), ("revocation", &log)]
        {
            let Some(name) = own(realm) else { continue };
            if let Some(other) = settings[..number].iter().find(|other| own(other).as_ref() == Some(&name)) {
                return Err(ConfigError::new(
                    format!("{}.{key}", realm.table),
                    format!("is {name:?}, which the app brings and {} has already", other.table),
                    "another one for each realm",
                ));
            }
        }
    }
    Ok(())
}

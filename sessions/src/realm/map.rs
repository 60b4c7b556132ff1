//! Which realm a path belongs to.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::http::uri::Path;

use super::config_error::ConfigError;
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
        Ok(RealmMap(settings::read(figment)?.into_iter().map(entry).collect::<Result<_, _>>()?))
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

//! Opening the store that a setting names. To add a store: its file, its `mod` line, and a line in
//! [`BUILT_IN`].

use std::sync::Arc;

use super::Store;

/// Opens the store of a setting for the realm whose cookie has this name.
type Open = fn(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String>;

/// The stores of this build, by the schemes of their settings.
const BUILT_IN: &[(&[&str], Open)] = &[
    (&["cookie"], super::cookie::open),
    #[cfg(feature = "memory")]
    (&["memory"], super::memory::open),
    #[cfg(feature = "sqlite")]
    (&["sqlite"], super::sql::sqlite::open),
    #[cfg(feature = "postgres")]
    (&["postgres", "postgresql"], super::sql::postgres::open),
    #[cfg(feature = "mysql")]
    (&["mysql", "mariadb"], super::sql::mysql::open),
    #[cfg(feature = "redis")]
    (super::redis::SCHEMES, super::redis::open),
    #[cfg(feature = "mongodb")]
    (&["mongodb", "mongodb+srv"], super::mongodb::open),
];

/// The features of the other stores; each store's schemes begin with the name of its feature.
const FEATURES: &[&str] = &["memory", "sqlite", "postgres", "mysql", "redis", "mongodb"];

/// The schemes of this build's stores.
pub(crate) fn schemes<'s>() -> impl Iterator<Item = &'s str> {
    BUILT_IN.iter().flat_map(|(schemes, _)| *schemes).copied()
}

/// Opens the store of a setting such as `"memory"` or `"redis://127.0.0.1:6379"`, for the realm whose
/// cookie is called `realm`: two realms can share a database and see nothing of each other's sessions.
/// Connects nowhere yet: [`Service::start`](super::Service::start) does.
///
/// ```
/// use sealed_sessions::store;
///
/// assert!(store::open("cookie", "__Host-session").is_ok());
/// let refused = store::open("floppy:", "__Host-session").err().unwrap();
/// assert!(refused.contains("no store of this build"));
/// ```
///
/// # Errors
/// What is wrong with the setting, in words for a log. Shows no password.
pub fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    let scheme = setting.split(':').next().unwrap_or_default();
    if let Some((_, open)) = BUILT_IN.iter().find(|(schemes, _)| schemes.contains(&scheme)) {
        return open(setting, realm).map_err(|problem| format!("cannot be used: {problem}"));
    }
    Err(match FEATURES.iter().find(|feature| scheme.starts_with(**feature)) {
        Some(feature) => {
            format!("begins with {scheme:?}, a store that is not built in: add the feature {feature:?}")
        }
        None => format!("begins with {scheme:?}, which names no store of this build"),
    })
}

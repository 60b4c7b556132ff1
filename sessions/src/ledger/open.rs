//! Opening the log that a setting names. To add one: its file, its `mod` line, and a line in [`BUILT_IN`].

use std::sync::Arc;

use super::log::Log;
use super::memory::MemoryLog;

/// Opens the log of a setting under a namespace.
type Open = fn(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String>;

/// The logs of this build, by the schemes of their settings.
const BUILT_IN: &[(&[&str], Open)] = &[
    (&["memory"], memory),
    #[cfg(feature = "sqlite")]
    (&["sqlite"], crate::store::sql::sqlite::open_log),
    #[cfg(feature = "postgres")]
    (&["postgres", "postgresql"], crate::store::sql::postgres::open_log),
    #[cfg(feature = "mysql")]
    (&["mysql", "mariadb"], crate::store::sql::mysql::open_log),
    #[cfg(feature = "redis")]
    (crate::store::redis::SCHEMES, crate::store::redis::open_log),
    #[cfg(feature = "mongodb")]
    (&["mongodb", "mongodb+srv"], crate::store::mongodb::open_log),
];

/// The features of the other logs; each one's schemes begin with the name of its feature.
const FEATURES: &[&str] = &["sqlite", "postgres", "mysql", "redis", "mongodb"];

/// The schemes of this build's logs.
pub(crate) fn schemes<'s>() -> impl Iterator<Item = &'s str> {
    BUILT_IN.iter().flat_map(|(schemes, _)| *schemes).copied()
}

/// Opens the log of a setting such as `"sqlite:data/app.db"`, for the realm that files its entries under `namespace`.
/// Connects nowhere yet.
///
/// # Errors
/// What is wrong with the setting, in words for a log. Shows no password.
pub fn open(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    let scheme = setting.split(':').next().unwrap_or_default();
    if let Some((_, open)) = BUILT_IN.iter().find(|(schemes, _)| schemes.contains(&scheme)) {
        return open(setting, namespace).map_err(|problem| format!("cannot be used: {problem}"));
    }
    Err(match FEATURES.iter().find(|feature| scheme.starts_with(**feature)) {
        Some(feature) => {
            format!("begins with {scheme:?}, a ledger that is not built in: add the feature {feature:?}")
        }
        None => format!("begins with {scheme:?}, which names no ledger of this build"),
    })
}

fn memory(setting: &str, _namespace: &str) -> Result<Arc<dyn Log>, String> {
    match setting {
        "memory" => Ok(Arc::new(MemoryLog::default())),
        _ => Err("the ledger in memory takes no address".into()),
    }
}

//! Why a launch is refused.

use rocket::figment::error::{Error as FigmentError, Kind};
use rocket::figment::value::Dict;
use thiserror::Error;

/// A setting that refuses the launch: its key, its value and what is accepted instead.
#[derive(Debug, Error)]
#[error("{key} {problem}; accepted: {accepted}")]
pub struct ConfigError {
    key: String,
    problem: String,
    accepted: String,
}

impl ConfigError {
    pub(crate) fn new(
        key: impl Into<String>,
        problem: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Self {
        ConfigError { key: key.into(), problem: problem.into(), accepted: accepted.into() }
    }

    /// Says what is wrong in the words of the configuration. `own` is the realm's own table: a key that is not
    /// in it stands in the shared one. A value that may hold a password or a key is not shown.
    pub(super) fn explain(error: &FigmentError, table: &str, own: Option<&Dict>) -> ConfigError {
        let inherited = |key: &String| own.is_some_and(|own| !own.contains_key(key));
        let table = match error.path.first() {
            Some(key) if inherited(key) => "session",
            _ => table,
        };
        let path = std::iter::once(table).chain(error.path.iter().map(String::as_str));
        let key = path.collect::<Vec<_>>().join(".");
        let secret = match error.path.first().map(String::as_str) {
            Some(key) => ["store", "revocation", "previous_keys"].contains(&key),
            None => true,
        };
        match &error.kind {
            Kind::InvalidValue(_, accepted) | Kind::InvalidType(_, accepted) if secret => {
                ConfigError::new(key, "has the wrong type", accepted.clone())
            }
            Kind::InvalidValue(found, accepted) | Kind::InvalidType(found, accepted) => {
                let accepted = if accepted == "usize" { "a whole number" } else { accepted };
                ConfigError::new(key, format!("is {found}"), accepted)
            }
            Kind::UnknownVariant(found, accepted) => {
                ConfigError::new(key, format!("is {found:?}"), format!("{accepted:?}"))
            }
            Kind::UnknownField(found, accepted) => {
                let table = if own.is_some_and(|own| !own.contains_key(found)) { "session" } else { table };
                ConfigError::new(format!("{table}.{found}"), "is not a setting", accepted.join(", "))
            }
            other => ConfigError::new(
                key,
                format!("cannot be read: {other}"),
                "see the table of settings in the README",
            ),
        }
    }
}

//! The app's own settings, beside Rocket's and the sessions'.

use std::path::PathBuf;

use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::value::Dict;
use rocket::figment::{Figment, Profile};

/// `Rocket.toml` of this package, so that the program runs without one.
const DEFAULTS: &str = include_str!("../../Rocket.toml");

/// What the app itself is told.
pub(super) struct Settings {
    /// The path prefixes of all realms.
    pub(super) realms: Vec<String>,
    /// Where `/login`, `/profile` and `/user` lead.
    pub(super) default_realm: String,
    /// Where the database and the key are.
    pub(super) data_dir: PathBuf,
}

pub(super) fn figment() -> Figment {
    Figment::from(rocket::Config::default())
        .merge(Toml::string(DEFAULTS).nested())
        .merge(Toml::file(Env::var_or("ROCKET_CONFIG", "Rocket.toml")).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .select(Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE))
}

impl Settings {
    pub(super) fn read(figment: &Figment) -> Result<Settings, String> {
        let realms: Dict = figment.extract_inner("session.realms").map_err(|error| {
            format!(
                "session.realms: {error}; accepted: a table for each path prefix that sessions live under"
            )
        })?;
        let realms: Vec<String> = realms.into_keys().collect();
        let default_realm: String =
            figment.extract_inner("default_realm").map_err(|error| format!("default_realm: {error}"))?;
        if !realms.contains(&default_realm) {
            return Err(format!("default_realm is {default_realm:?}; accepted: one of {realms:?}"));
        }
        let data_dir = figment.extract_inner("data_dir").map_err(|error| format!("data_dir: {error}"))?;
        Ok(Settings { realms, default_realm, data_dir })
    }
}

//! The app's own settings, beside Rocket's and the sessions'.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::value::Dict;
use rocket::figment::{Figment, Profile};
use rocket::http::uri::Origin;

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

/// The realm that stands beside the sealed cookie, and keeps its sessions where the accounts are unless a
/// setting says otherwise.
const STATEFUL: &str = "/stateful";

impl Settings {
    /// The configuration with the stores that the app itself chooses.
    pub(super) fn with_stores(&self, figment: Figment) -> Figment {
        if !self.realms.iter().any(|realm| realm == STATEFUL) || figment.contains("session.store") {
            return figment;
        }
        let store = format!("sqlite:{}", self.data_dir.join("app.db").display());
        figment.join((format!("session.realms.{STATEFUL}.store"), store))
    }

    pub(super) fn read(figment: &Figment) -> Result<Settings, String> {
        // Not shown: a table that is not read as one may hold keys.
        let table: Dict = figment
            .extract_inner("session")
            .map_err(|_| "session is no table; accepted: such as {idle_timeout=\"30 minutes\"}".to_owned())?;
        let realms = table.get("realms").and_then(|realms| realms.as_dict()).ok_or(
            "session.realms is no table; accepted: a table for each path prefix that sessions live under",
        )?;
        let realms: Vec<String> = realms.keys().cloned().collect();
        for realm in &realms {
            check(realm, &realms)?;
        }
        let default_realm: String =
            figment.extract_inner("default_realm").map_err(|error| format!("default_realm: {error}"))?;
        if !realms.contains(&default_realm) {
            return Err(format!("default_realm is {default_realm:?}; accepted: one of {realms:?}"));
        }
        let data_dir = figment.extract_inner("data_dir").map_err(|error| format!("data_dir: {error}"))?;
        Ok(Settings { realms, default_realm, data_dir })
    }
}

/// Makes the directory of the data, for its owner only: it holds the key and the password hashes.
pub(super) fn make_data_dir(data_dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir)
}

/// The app's pages outside of every realm, and those of each realm.
const OUTSIDE: [&str; 7] = ["/", "/compare", "/lab", "/lab/load", "/login", "/profile", "/user"];
const INSIDE: [&str; 5] = ["/cookie", "/login", "/logout", "/profile", "/register"];

/// Refuses a realm where no pages can be mounted: Rocket itself would panic, or name two routes.
fn check(realm: &str, all: &[String]) -> Result<(), String> {
    let key = format!("session.realms.{realm:?}");
    let plain = Origin::parse(realm).is_ok_and(|path| path.query().is_none() && path.is_normalized());
    if !plain {
        return Err(format!("{key} is no path prefix; accepted: a path such as \"/shop\""));
    }
    let page_of =
        |other: &String| realm.strip_prefix(other.as_str()).is_some_and(|rest| INSIDE.contains(&rest));
    if OUTSIDE.contains(&realm) || all.iter().any(page_of) {
        return Err(format!("{key} is a page of the app already; accepted: another path, such as \"/shop\""));
    }
    Ok(())
}

//! The app's own settings, in addition to Rocket's and those of the sessions.

use std::path::{Path, PathBuf};

use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};
use rocket::http::RawStr;
use sealed_sessions::Sessions;
use serde_json::Value;

use super::data_dir::DATABASE_FILE;
use super::{lab_setting, throttle};

/// `Rocket.toml` of this package, so that the program runs without one.
const DEFAULTS: &str = include_str!("../../Rocket.toml");

/// The settings.
pub(super) struct Settings {
    /// The path prefixes of all realms.
    pub(super) realms: Vec<String>,
    /// Where `/login`, `/profile` and `/user` lead.
    pub(super) default_realm: String,
    /// Where the database and the key are.
    pub(super) data_dir: PathBuf,
    /// Where the source of this program can be read: an address for the foot of the pages.
    pub(super) source_url: Option<String>,
    /// The loopback port of the metrics and the health: 0 for any that is free, `None` for no such.
    pub(super) admin_port: Option<u16>,
    /// Whether the pages of the lab are on.
    pub(super) lab: bool,
    /// How many wrong passwords may be tried; `None` for any number.
    pub(super) throttle: Option<throttle::Limits>,
}

pub(super) fn figment() -> Figment {
    Figment::from(rocket::Config::default())
        .merge(Toml::string(DEFAULTS).nested())
        .merge(Toml::file(Env::var_or("ROCKET_CONFIG", "Rocket.toml")).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .select(Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE))
}

/// The realm with server-side sessions, which are kept in the database of the accounts unless a setting says
/// otherwise.
const STATEFUL: &str = "/stateful";

/// The realm of cookie sessions that a ledger can end, which is kept in the same database.
const REVOCABLE: &str = "/revocable";

impl Settings {
    /// The configuration with the stores that the app itself chooses.
    pub(super) fn with_stores(&self, figment: Figment) -> Figment {
        let is_realm = |path: &str| self.realms.iter().any(|realm| realm == path);
        let database = format!("sqlite:{}", url_path(&self.data_dir.join(DATABASE_FILE)));
        let mut figment = figment;
        if is_realm(STATEFUL) && !figment.contains("session.store") {
            figment = figment.join((format!("session.realms.{STATEFUL}.store"), &database));
        }
        // Only cookie sessions have a ledger.
        let store: Result<String, _> = figment.extract_inner(&format!("session.realms.{REVOCABLE}.store"));
        let has_cookies = store.is_ok_and(|store| store == "cookie");
        if is_realm(REVOCABLE) && has_cookies && !figment.contains("session.revocation") {
            figment = figment.join((format!("session.realms.{REVOCABLE}.revocation"), &database));
        }
        figment
    }

    pub(super) fn read(figment: &Figment) -> Result<Settings, String> {
        let realms = Sessions::realms(figment).map_err(|error| error.to_string())?;
        for realm in &realms {
            check(realm, &realms)?;
        }
        let default_realm: String =
            figment.extract_inner("default_realm").map_err(|error| format!("default_realm: {error}"))?;
        if !realms.contains(&default_realm) {
            return Err(format!("default_realm is {default_realm:?}; accepted: one of {realms:?}"));
        }
        let data_dir = figment.extract_inner("data_dir").map_err(|error| format!("data_dir: {error}"))?;
        let source_url = source_url(figment)?;
        let lab = lab_setting::read(figment)?;
        let throttle = throttle::read(figment)?;
        let admin_port = admin_port(figment)?;
        Ok(Settings { realms, default_realm, data_dir, source_url, admin_port, lab, throttle })
    }
}

fn source_url(figment: &Figment) -> Result<Option<String>, String> {
    if !figment.contains("source_url") {
        return Ok(None);
    }
    let url: String = figment.extract_inner("source_url").map_err(|error| format!("source_url: {error}"))?;
    if url.starts_with("https://") {
        Ok(Some(url))
    } else {
        Err(format!("source_url is {url:?}; accepted: an address that begins with https://"))
    }
}

fn admin_port(figment: &Figment) -> Result<Option<u16>, String> {
    if !figment.contains("admin_port") {
        return Ok(Some(0));
    }
    let value: Value = figment.extract_inner("admin_port").map_err(|error| format!("admin_port: {error}"))?;
    let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
    match port {
        None if value == "none" => Ok(None),
        None => Err(format!(
            "admin_port is {value}; accepted: a port, 0 for any that is free, or \"none\" for none"
        )),
        port => Ok(port),
    }
}

/// A path as a URL has it: a `?` would begin its options, a `%` a letter in hexadecimal.
fn url_path(path: &Path) -> String {
    let segments = path.iter().map(|segment| match segment.to_string_lossy() {
        root if root == "/" => String::new(),
        name => RawStr::new(&*name).percent_encode().to_string(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The app's pages outside of all realms, and those of each realm.
const OUTSIDE: [&str; 8] = ["/", "/compare", "/docs", "/lab", "/lab/load", "/login", "/profile", "/user"];
const INSIDE: [&str; 15] = [
    "/account/delete",
    "/confirm",
    "/cookie",
    "/cookie/note",
    "/cookie/tamper",
    "/login",
    "/logout",
    "/password",
    "/profile",
    "/register",
    "/sessions",
    "/sessions/end",
    "/sessions/end-all",
    "/sessions/live",
    "/signed-out",
];

/// Refuses a realm where no pages can be mounted: Rocket itself would panic, or name two routes.
fn check(realm: &str, all: &[String]) -> Result<(), String> {
    let key = format!("session.realms.{realm:?}");
    let page_of =
        |other: &String| realm.strip_prefix(other.as_str()).is_some_and(|rest| INSIDE.contains(&rest));
    if OUTSIDE.contains(&realm) || all.iter().any(page_of) {
        return Err(format!("{key} is a page of the app already; accepted: another path, such as \"/shop\""));
    }
    Ok(())
}

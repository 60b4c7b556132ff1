//! The settings: the table `session` of the app's configuration, read and checked at launch.

use std::sync::Arc;
use std::time::Duration;

use rocket::figment::Figment;
use rocket::figment::error::{Error as FigmentError, Kind};
use rocket::figment::value::{Dict, Value};
use serde::Deserialize;

use super::config_error::ConfigError;
use super::duration;
use super::max_sessions::{Beyond, MaxSessions};
use super::secret_key::SecretKey;
use crate::clock::UnixSeconds;
use crate::cookie::key::{ConfiguredKey, KeyProblem};
use crate::cookie::keyring::{Keyring, Rollover};
use crate::cookie::period::KeyRollover;
use crate::cookie::settings::{CookieSettings, Persistent, SameSite};
use crate::record::timeouts::{RealmTimeouts, Timeouts};

/// The settings of one realm.
pub(crate) struct RealmSettings {
    /// The path prefix; `/` for the whole site.
    pub(crate) path: String,
    /// The name of this realm's table in error messages.
    pub(crate) table: String,
    pub(crate) store: String,
    pub(crate) store_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) store_required: bool,
    /// What the realm's rows in a shared store are filed under, and its entries in a shared ledger.
    pub(crate) namespace: String,
    /// Where the ledger is that ends cookie sessions.
    pub(crate) revocation: Option<String>,
    /// How old what a node knows of the ledger may be, in seconds.
    pub(crate) revocation_max_age: UnixSeconds,
    /// Whether to notice cookies that are older than others of their session.
    pub(crate) notice_stale: bool,
    pub(crate) seal_at_rest: bool,
    pub(crate) max_session_bytes: usize,
    pub(crate) max_anonymous_sessions: Option<u64>,
    pub(crate) max_sessions: Option<MaxSessions>,
    pub(crate) sweep_interval: Duration,
    pub(crate) origins: Vec<String>,
    pub(crate) cookie: CookieSettings,
    pub(crate) timeouts: RealmTimeouts,
    pub(crate) keyring: Arc<Keyring>,
}

/// Whether the configuration has a `secret_key`, good or bad. Rocket's default of 32 zero bytes means that it
/// has none.
pub fn has_secret_key(figment: &Figment) -> bool {
    !matches!(
        figment.extract_inner::<ConfiguredKey>("secret_key").map(|ConfiguredKey(key)| key),
        Ok(Err(KeyProblem::Missing)) | Err(FigmentError { kind: Kind::MissingField(_), .. })
    )
}

/// Reads `secret_key` and the table `session`: the settings of every realm, in alphabetical order.
pub(crate) fn read(figment: &Figment) -> Result<Vec<RealmSettings>, ConfigError> {
    let secret_key = SecretKey::read(figment)?;
    let (shared, realms) = tables(figment)?;
    let read =
        |path: &str, table: String, own: Dict| RealmSettings::read(&secret_key, path, table, &shared, own);
    if realms.is_empty() {
        return Ok(vec![read("/", "session".into(), Dict::new())?]);
    }
    let mut all: Vec<RealmSettings> = Vec::with_capacity(realms.len());
    for (path, own) in &realms {
        let table = format!("session.realms.{path:?}");
        let own = own.deserialize().map_err(|error| ConfigError::explain(&error, &table, None))?;
        let realm = read(path, table, own)?;
        if let Some(other) = all.iter().find(|other| other.cookie.name == realm.cookie.name) {
            return Err(ConfigError::new(
                format!("{}.cookie", realm.table),
                format!("is {:?}, which {} has already", realm.cookie.name, other.table),
                "another name for each realm, since a seal is bound to it",
            ));
        }
        let shares_ledger = |other: &&RealmSettings| {
            (&other.revocation, &other.namespace) == (&realm.revocation, &realm.namespace)
        };
        if realm.revocation.as_ref().is_some_and(|setting| setting != "memory")
            && let Some(other) = all.iter().find(shares_ledger)
        {
            return Err(ConfigError::new(
                format!("{}.namespace", realm.table),
                format!("is {:?}, which {} has already in the same ledger", realm.namespace, other.table),
                "another namespace for each realm of a ledger; without the setting it is the cookie's name",
            ));
        }
        let shared =
            |other: &&RealmSettings| (&other.store, &other.namespace) == (&realm.store, &realm.namespace);
        if realm.store != "cookie"
            && let Some(other) = all.iter().find(shared)
        {
            return Err(ConfigError::new(
                format!("{}.namespace", realm.table),
                format!("is {:?}, which {} has already in the same store", realm.namespace, other.table),
                "another namespace for each realm of a store; without the setting it is the cookie's name",
            ));
        }
        all.push(realm);
    }
    Ok(all)
}

/// The paths of the realms that the table `session` has; none where the whole site is one realm.
pub(crate) fn realm_paths(figment: &Figment) -> Result<Vec<String>, ConfigError> {
    let (_, realms) = tables(figment)?;
    realms.into_keys().map(|path| checked_path(&path).map(|()| path)).collect()
}

/// The table `session`, and the tables of its realms by their paths.
fn tables(figment: &Figment) -> Result<(Dict, Dict), ConfigError> {
    let mut shared = match figment.extract_inner::<Dict>("session") {
        Ok(table) => table,
        Err(error) if error.missing() => Dict::new(),
        // The value is not shown: it may hold keys.
        Err(_) => {
            let accepted = "a table such as {idle_timeout=\"30 minutes\"}";
            return Err(ConfigError::new("session", "is not a table", accepted));
        }
    };
    let not_tables = |_| {
        let accepted = "a table for each path prefix that sessions live under";
        ConfigError::new("session.realms", "is not a table", accepted)
    };
    let realms = match shared.remove("realms") {
        None => Dict::new(),
        Some(value) => value.deserialize().map_err(not_tables)?,
    };
    Ok((shared, realms))
}

fn checked_path(path: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let whole = path.starts_with('/') && path.bytes().all(plain);
    if path == "/" || (whole && !path.ends_with('/') && !path.contains("//")) {
        return Ok(());
    }
    Err(ConfigError::new(
        format!("session.realms.{path:?}"),
        "is not a path prefix",
        "\"/\", or a path such as \"/shop\" of letters, digits and -_.~, without a slash at its end",
    ))
}

/// A table as it is written. Absent settings get their defaults below.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    store: Option<String>,
    #[serde(default, deserialize_with = "duration::wait")]
    store_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration::wait")]
    lock_timeout: Option<Duration>,
    store_required: Option<bool>,
    namespace: Option<String>,
    revocation: Option<String>,
    #[serde(default, deserialize_with = "duration::age")]
    revocation_max_age: Option<Duration>,
    notice_stale: Option<bool>,
    seal_at_rest: Option<bool>,
    max_session_bytes: Option<usize>,
    max_anonymous_sessions: Option<u64>,
    max_sessions: Option<usize>,
    beyond_max_sessions: Option<Beyond>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    sweep_interval: Option<Duration>,
    origins: Option<Vec<String>>,
    cookie: Option<String>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    idle_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    absolute_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    anonymous_idle_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    remember_idle_timeout: Option<Duration>,
    #[serde(default, deserialize_with = "duration::lifetime")]
    remember_absolute_timeout: Option<Duration>,
    secure: Option<bool>,
    same_site: Option<SameSite>,
    path: Option<String>,
    domain: Option<String>,
    partitioned: Option<bool>,
    persistent: Option<Persistent>,
    previous_keys: Option<Vec<ConfiguredKey>>,
    key_rollover: Option<KeyRollover>,
    max_cookie_bytes: Option<usize>,
}

const DAY: UnixSeconds = 24 * 60 * 60;

impl RealmSettings {
    fn read(
        secret_key: &SecretKey,
        path: &str,
        table: String,
        shared: &Dict,
        own: Dict,
    ) -> Result<RealmSettings, ConfigError> {
        checked_path(path)?;
        let mut merged = shared.clone();
        merged.extend(own.clone());
        let written: Table = Value::from(merged)
            .deserialize()
            .map_err(|error| ConfigError::explain(&error, &table, Some(&own)))?;

        let absolute = seconds(written.absolute_timeout, DAY / 2);
        let idle = seconds(written.idle_timeout, absolute.min(30 * 60));
        let remember_absolute = seconds(written.remember_absolute_timeout, 30 * DAY);
        for (key, idle, absolute_key, absolute) in [
            ("idle_timeout", written.idle_timeout, "absolute_timeout", written.absolute_timeout),
            (
                "anonymous_idle_timeout",
                written.anonymous_idle_timeout,
                "absolute_timeout",
                written.absolute_timeout,
            ),
            (
                "remember_idle_timeout",
                written.remember_idle_timeout,
                "remember_absolute_timeout",
                written.remember_absolute_timeout,
            ),
        ] {
            if let (Some(idle), Some(absolute)) = (idle, absolute)
                && idle > absolute
            {
                let problem = format!("is {}, longer than {absolute_key}", humantime::format_duration(idle));
                let accepted = format!("at most {}", humantime::format_duration(absolute));
                return Err(ConfigError::new(format!("{table}.{key}"), problem, accepted));
            }
        }
        let cookie = CookieSettings {
            name: written.cookie.unwrap_or_else(|| "__Host-Http-session".into()),
            secure: written.secure.unwrap_or(true),
            same_site: written.same_site.unwrap_or(SameSite::Lax),
            path: written.path.unwrap_or_else(|| "/".into()),
            domain: written.domain,
            partitioned: written.partitioned.unwrap_or(false),
            persistent: written.persistent.unwrap_or(Persistent::Remembered),
            max_bytes: written.max_cookie_bytes.unwrap_or(8192),
        };
        let timeouts = RealmTimeouts {
            signed_in: Timeouts { idle, absolute },
            anonymous: Timeouts { idle: seconds(written.anonymous_idle_timeout, idle), absolute },
            remembered: Timeouts {
                idle: seconds(written.remember_idle_timeout, remember_absolute.min(14 * DAY)),
                absolute: remember_absolute,
            },
        };
        let rollover = Rollover {
            length: written.key_rollover.and_then(|KeyRollover(length)| length),
            lifetime: timeouts.longest(),
        };
        let previous_keys = written.previous_keys.unwrap_or_default();
        let settings = RealmSettings {
            path: path.to_owned(),
            store: written.store.unwrap_or_else(|| "cookie".into()),
            store_timeout: written.store_timeout.unwrap_or(Duration::from_secs(2)),
            lock_timeout: written.lock_timeout.unwrap_or(Duration::from_secs(10)),
            store_required: written.store_required.unwrap_or(true),
            namespace: namespace(&table, written.namespace, &cookie)?,
            revocation: written.revocation,
            revocation_max_age: seconds(written.revocation_max_age, 10),
            notice_stale: written.notice_stale.unwrap_or(false),
            seal_at_rest: written.seal_at_rest.unwrap_or(false),
            max_session_bytes: written.max_session_bytes.unwrap_or(65_536),
            max_anonymous_sessions: written.max_anonymous_sessions,
            max_sessions: MaxSessions::read(&table, written.max_sessions, written.beyond_max_sessions)?,
            sweep_interval: written.sweep_interval.unwrap_or(Duration::from_secs(60)),
            origins: origins(&table, written.origins.unwrap_or_default())?,
            timeouts,
            cookie,
            keyring: Arc::new(secret_key.keyring(previous_keys, &table, rollover)?),
            table,
        };
        settings.cookie.check(path).map_err(|refused| {
            let key = format!("{}.{}", settings.table, refused.key);
            ConfigError::new(key, refused.problem, refused.accepted)
        })?;
        Ok(settings)
    }
}

/// What a realm's rows are filed under: the name of its cookie unless the setting names another.
fn namespace(table: &str, written: Option<String>, cookie: &CookieSettings) -> Result<String, ConfigError> {
    let Some(namespace) = written else { return Ok(cookie.name.clone()) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=64).contains(&namespace.len()) && namespace.bytes().all(plain) {
        return Ok(namespace);
    }
    let (key, problem) = (format!("{table}.namespace"), format!("is {namespace:?}"));
    Err(ConfigError::new(key, problem, "1 to 64 letters, digits and -_."))
}

/// Origins as browsers write them: a scheme and a host, without a slash at the end.
fn origins(table: &str, written: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let is_origin = |origin: &String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ', '*']))
    };
    match written.iter().find(|origin| !is_origin(origin)) {
        None => Ok(written),
        Some(origin) => Err(ConfigError::new(
            format!("{table}.origins"),
            format!("has {origin:?}"),
            "origins such as \"https://shop.example\", without a path",
        )),
    }
}

fn seconds(written: Option<Duration>, default: UnixSeconds) -> UnixSeconds {
    written.map_or(default, |span| UnixSeconds::try_from(span.as_secs()).unwrap_or(UnixSeconds::MAX))
}

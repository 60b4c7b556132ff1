//! The settings: the table `session` of the app's configuration, read and held to its rules at launch.

use std::fmt;
use std::time::Duration;

use cookie::Key;
use rocket::figment::Figment;
use rocket::figment::error::{Error as FigmentError, Kind};
use rocket::figment::value::{Dict, Value};
use serde::Deserialize;
use thiserror::Error;

use super::clock::UnixSeconds;
use super::expiry::{Lifetime, Lifetimes};
use super::keyring::{ConfiguredKey, KEY_FORMS, KeyProblem};
use super::span::{AnyLength, Span, WholeSeconds};

/// A setting that the launch is refused for: which, what it holds and what is accepted.
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
}

/// All settings of an app's sessions.
pub(crate) struct Settings {
    pub(crate) secret_key: Key,
    pub(crate) realms: Vec<RealmSettings>,
}

/// The settings of one realm.
pub(crate) struct RealmSettings {
    /// The path prefix, without a slash at its end; empty for the whole site.
    pub(crate) path: String,
    /// How this realm's table is called in messages.
    pub(crate) table: String,
    pub(crate) store: String,
    pub(crate) store_timeout: Duration,
    /// How long a request waits for its turn with a session that others have locked.
    pub(crate) lock_timeout: Duration,
    /// Whether the app refuses to launch without its store.
    pub(crate) store_required: bool,
    pub(crate) seal_at_rest: bool,
    /// How often what has expired is deleted.
    pub(crate) sweep_interval: Duration,
    pub(crate) cookie: CookieSettings,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) previous_keys: Vec<Key>,
}

/// How the cookie is named and which attributes it has.
pub(crate) struct CookieSettings {
    pub(crate) name: String,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) partitioned: bool,
    pub(crate) persistent: bool,
    pub(crate) most_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum SameSite {
    Strict,
    Lax,
    None,
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Settings {
    /// Reads `secret_key` and the table `session`.
    pub(crate) fn read(figment: &Figment) -> Result<Settings, ConfigError> {
        let secret_key = secret_key(figment)?;
        let mut shared = match figment.extract_inner::<Dict>("session") {
            Ok(table) => table,
            Err(error) if error.missing() => Dict::new(),
            Err(error) => return Err(explain(&error, "session", None)),
        };
        let realms = match shared.remove("realms") {
            None => Dict::new(),
            Some(value) => value.deserialize().map_err(|error| explain(&error, "session.realms", None))?,
        };
        let realms = match realms.is_empty() {
            true => vec![RealmSettings::read(&secret_key, "", "session".into(), &shared, Dict::new())?],
            false => realms
                .iter()
                .map(|(path, own)| {
                    let table = format!("session.realms.{path:?}");
                    let own = own.deserialize().map_err(|error| explain(&error, &table, None))?;
                    RealmSettings::read(&secret_key, realm_path(path)?, table, &shared, own)
                })
                .collect::<Result<_, _>>()?,
        };
        let settings = Settings { secret_key, realms };
        settings.refuse_shared_cookies()?;
        Ok(settings)
    }

    fn refuse_shared_cookies(&self) -> Result<(), ConfigError> {
        for (n, realm) in self.realms.iter().enumerate() {
            let name = &realm.cookie.name;
            if let Some(other) = self.realms[..n].iter().find(|other| other.cookie.name == *name) {
                return Err(ConfigError::new(
                    format!("{}.cookie", realm.table),
                    format!("is {name:?}, which {} has already", other.table),
                    "another name for each realm, since a seal is bound to it",
                ));
            }
        }
        Ok(())
    }
}

/// Whether the configuration has a `secret_key`, good or bad. Rocket's own default of 32 zero bytes
/// counts as none.
pub fn has_secret_key(figment: &Figment) -> bool {
    !matches!(
        figment.extract_inner::<ConfiguredKey>("secret_key").map(|ConfiguredKey(key)| key),
        Ok(Err(KeyProblem::Missing)) | Err(FigmentError { kind: Kind::MissingField(_), .. })
    )
}

fn secret_key(figment: &Figment) -> Result<Key, ConfigError> {
    let refuse = |problem: &str| ConfigError::new("secret_key", problem, KEY_FORMS);
    match figment.extract_inner::<ConfiguredKey>("secret_key") {
        Ok(ConfiguredKey(Ok(key))) => Ok(key),
        Ok(ConfiguredKey(Err(KeyProblem::Missing))) => {
            Err(refuse("is not set, and sessions cannot be sealed without"))
        }
        Ok(ConfiguredKey(Err(problem))) => Err(refuse(&format!("cannot be used: {problem}"))),
        Err(error) if error.missing() => Err(refuse("is not set, and sessions cannot be sealed without")),
        Err(_) => Err(refuse("cannot be used: it is neither text nor bytes")),
    }
}

fn realm_path(path: &str) -> Result<&str, ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let whole = path.starts_with('/') && path.bytes().all(plain);
    match path {
        "/" => Ok(""),
        _ if whole && !path.ends_with('/') && !path.contains("//") => Ok(path),
        _ => Err(ConfigError::new(
            format!("session.realms.{path:?}"),
            "is no path prefix",
            "\"/\", or a path such as \"/shop\" of letters, digits and -_.~, with no slash at its end",
        )),
    }
}

/// One table as it is written. What is absent has its default below.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    store: Option<String>,
    store_timeout: Option<Span<AnyLength>>,
    lock_timeout: Option<Span<AnyLength>>,
    store_required: Option<bool>,
    seal_at_rest: Option<bool>,
    sweep_interval: Option<Span<WholeSeconds>>,
    cookie: Option<String>,
    idle_timeout: Option<Span<WholeSeconds>>,
    absolute_timeout: Option<Span<WholeSeconds>>,
    anonymous_idle_timeout: Option<Span<WholeSeconds>>,
    remember_idle_timeout: Option<Span<WholeSeconds>>,
    remember_absolute_timeout: Option<Span<WholeSeconds>>,
    secure: Option<bool>,
    same_site: Option<SameSite>,
    path: Option<String>,
    domain: Option<String>,
    partitioned: Option<bool>,
    persistent: Option<bool>,
    previous_keys: Option<Vec<ConfiguredKey>>,
    max_cookie_bytes: Option<usize>,
}

const DAY: UnixSeconds = 24 * 60 * 60;

impl RealmSettings {
    fn read(
        secret_key: &Key,
        path: &str,
        table: String,
        shared: &Dict,
        own: Dict,
    ) -> Result<RealmSettings, ConfigError> {
        let mut merged = shared.clone();
        merged.extend(own.clone());
        let written: Table =
            Value::from(merged).deserialize().map_err(|error| explain(&error, &table, Some(&own)))?;

        let idle = written.idle_timeout.map_or(30 * 60, Span::seconds);
        let absolute = written.absolute_timeout.map_or(DAY / 2, Span::seconds);
        let settings = RealmSettings {
            path: path.to_owned(),
            store: written.store.unwrap_or_else(|| "cookie".into()),
            store_timeout: written.store_timeout.map_or(Duration::from_secs(2), |span| span.length),
            lock_timeout: written.lock_timeout.map_or(Duration::from_secs(10), |span| span.length),
            store_required: written.store_required.unwrap_or(true),
            seal_at_rest: written.seal_at_rest.unwrap_or(false),
            sweep_interval: written.sweep_interval.map_or(Duration::from_secs(60), |span| span.length),
            lifetimes: Lifetimes {
                signed_in: Lifetime { idle, absolute },
                anonymous: Lifetime {
                    idle: written.anonymous_idle_timeout.map_or(idle, Span::seconds),
                    absolute,
                },
                remembered: Lifetime {
                    idle: written.remember_idle_timeout.map_or(14 * DAY, Span::seconds),
                    absolute: written.remember_absolute_timeout.map_or(30 * DAY, Span::seconds),
                },
            },
            cookie: CookieSettings {
                name: written.cookie.unwrap_or_else(|| "__Host-session".into()),
                secure: written.secure.unwrap_or(true),
                same_site: written.same_site.unwrap_or(SameSite::Lax),
                path: written.path.unwrap_or_else(|| "/".into()),
                domain: written.domain,
                partitioned: written.partitioned.unwrap_or(false),
                persistent: written.persistent.unwrap_or(true),
                most_bytes: written.max_cookie_bytes.unwrap_or(8192),
            },
            previous_keys: previous_keys(secret_key, &table, written.previous_keys.unwrap_or_default())?,
            table,
        };
        settings.cookie.check(&settings.table, path)?;
        Ok(settings)
    }
}

fn previous_keys(current: &Key, table: &str, written: Vec<ConfiguredKey>) -> Result<Vec<Key>, ConfigError> {
    let mut keys: Vec<Key> = Vec::with_capacity(written.len());
    for (n, ConfiguredKey(key)) in written.into_iter().enumerate() {
        let refuse = |problem| {
            let problem = format!("cannot be used: {problem}");
            ConfigError::new(format!("{table}.previous_keys[{n}]"), problem, KEY_FORMS)
        };
        match key {
            Ok(key) if key == *current || keys.contains(&key) => return Err(refuse(KeyProblem::Duplicate)),
            Ok(key) => keys.push(key),
            Err(problem) => return Err(refuse(problem)),
        }
    }
    Ok(keys)
}

impl CookieSettings {
    fn check(&self, table: &str, realm: &str) -> Result<(), ConfigError> {
        let refuse = |key: &str, problem: String, accepted: &str| {
            Err(ConfigError::new(format!("{table}.{key}"), problem, accepted))
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let name = &self.name;
        if name.is_empty() || !name.bytes().all(token) || name.len() > 64 {
            return refuse(
                "cookie",
                format!("is {name:?}"),
                "a name of 1 to 64 letters, digits and -_. (RFC 6265bis)",
            );
        }
        if name.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit())) {
            return refuse(
                "cookie",
                format!("is {name:?}"),
                "a name that ends in no number: chunks are called so",
            );
        }
        let folded = name.to_ascii_lowercase();
        let host = folded.starts_with("__host-");
        if (host || folded.starts_with("__secure-") || folded.starts_with("__http-")) && !self.secure {
            let accepted = "true, or a cookie name without a prefix (cookie = \"session\")";
            return refuse(
                "secure",
                format!("is false, which browsers refuse of a cookie named {name:?}"),
                accepted,
            );
        }
        if host && self.path != "/" {
            let problem = format!("is {:?}, which browsers refuse of a cookie named {name:?}", self.path);
            return refuse("path", problem, "\"/\", or a cookie name without __Host-");
        }
        if let Some(domain) = &self.domain {
            if host {
                let problem = format!("is {domain:?}, which browsers refuse of a cookie named {name:?}");
                return refuse("domain", problem, "none, or a cookie name without __Host-");
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            if domain.is_empty() || !domain.bytes().all(plain) {
                return refuse("domain", format!("is {domain:?}"), "a host name such as \"example.org\"");
            }
        }
        if self.same_site == SameSite::None && !self.secure {
            return refuse(
                "same_site",
                "is \"None\" while secure is false".into(),
                "\"Lax\" or \"Strict\", or secure = true",
            );
        }
        if self.partitioned && !self.secure {
            return refuse("partitioned", "is true while secure is false".into(), "false, or secure = true");
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if !self.path.starts_with('/') || !self.path.bytes().all(plain) {
            return refuse("path", format!("is {:?}", self.path), "a path such as \"/\" or \"/shop\"");
        }
        // As browsers compare (RFC 6265, 5.1.4): a path of "/shop/" is not sent to "/shop".
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/');
        let covers = realm.strip_prefix(self.path.as_str()).is_some_and(below);
        if !realm.is_empty() && !covers {
            let problem = format!("is {:?}, where browsers do not send it to {realm:?}", self.path);
            return refuse("path", problem, "\"/\" or a path that the realm lies in");
        }
        if !(256..=65536).contains(&self.most_bytes) {
            return refuse("max_cookie_bytes", format!("is {}", self.most_bytes), "256 to 65536");
        }
        Ok(())
    }
}

/// Says what is wrong in the words of the configuration: the key, the value and what is accepted.
/// `own` is the realm's own table: a key that is not in it stands in the shared one. What may hold a
/// password or a key is not shown.
fn explain(error: &FigmentError, table: &str, own: Option<&Dict>) -> ConfigError {
    let inherited = |key: &String| own.is_some_and(|own| !own.contains_key(key));
    let table = match error.path.first() {
        Some(key) if inherited(key) => "session",
        _ => table,
    };
    let key =
        std::iter::once(table).chain(error.path.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
    let secret = match error.path.first().map(String::as_str) {
        Some(key) => key == "store" || key == "previous_keys",
        None => true,
    };
    match &error.kind {
        Kind::InvalidValue(_, accepted) | Kind::InvalidType(_, accepted) if secret => {
            ConfigError::new(key, "is of the wrong type", accepted.clone())
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
            ConfigError::new(format!("{table}.{found}"), "is no setting", accepted.join(", "))
        }
        other => ConfigError::new(
            key,
            format!("cannot be read: {other}"),
            "see the table of settings in the README",
        ),
    }
}

//! Looking into a sealed cookie with the app's keys.

use rocket::figment::Figment;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::UnixSeconds;
use crate::cookie::format::CookieFormat;
use crate::cookie::keyring::KeyAge;
use crate::cookie::period::KeyId;
use crate::cookie::request_cookies::RequestCookies;
use crate::error::{Arrival, Invalid, Timeout};
use crate::realm::config_error::ConfigError;
use crate::realm::settings::{self, RealmSettings};
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// Opens cookies with the keys and names of a configuration, without an app.
///
/// ```
/// use rocket::figment::Figment;
/// use sealed_sessions::inspect::Inspector;
///
/// let figment = Figment::new().merge(("secret_key", sealed_sessions::keys::generate_key().unwrap()));
/// let inspector = Inspector::new(&figment).unwrap();
/// let found = inspector.open("__Host-Http-session=QUJD", 0);
/// assert_eq!(found[0].problem.as_deref(), Some("it is not the text of a sealed cookie, or not all of its chunks"));
/// ```
pub struct Inspector(Vec<RealmSettings>);

/// What a cookie turned out to be.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// The path prefix of its realm; `"/"` for the whole site.
    pub realm: String,
    /// The cookie's name.
    pub cookie: String,
    /// `"current"` or `"previous"`; `None` when no key opens it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'static str>,
    /// The period whose key sealed it, with the setting `key_rollover`: proven if a key opens it, otherwise what it says
    /// of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<KeyPeriod>,
    /// The session's name in logs: a keyed hash of its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What is inside, unless it is only the id of a session on the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<OpenedRecord>,
    /// Why it is not a live session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// When a key that was derived for a period sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyPeriod {
    /// The first moment of the period, in seconds since 1970. Serialized as RFC 3339 writes it.
    #[serde(serialize_with = "rfc3339")]
    pub from: UnixSeconds,
    /// The first moment after it.
    #[serde(serialize_with = "rfc3339")]
    pub until: UnixSeconds,
}

/// A record without its id, which is a credential.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct OpenedRecord {
    /// When the session was opened, or its subject last proved who they are: where the absolute timeout starts. In
    /// seconds since 1970. Serialized as RFC 3339 writes it, as all times here.
    #[serde(serialize_with = "rfc3339")]
    pub created: UnixSeconds,
    /// When it was last used, to within a minute.
    #[serde(serialize_with = "rfc3339")]
    pub seen: UnixSeconds,
    /// When it expires unless it is used.
    #[serde(serialize_with = "rfc3339")]
    pub expires: UnixSeconds,
    /// How many times its data was written.
    pub version: u32,
    /// Whether this login asked to be remembered.
    pub remembered: bool,
    /// When the subject proved who they are.
    #[serde(serialize_with = "rfc3339_or_none")]
    pub signed_in: Option<UnixSeconds>,
    /// Whose session it is.
    pub subject: Option<String>,
    /// The app's data.
    pub data: Box<RawValue>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn rfc3339<S: Serializer>(seconds: &UnixSeconds, serializer: S) -> Result<S::Ok, S::Error> {
    let moment = OffsetDateTime::from_unix_timestamp(*seconds).map_err(S::Error::custom)?;
    serializer.serialize_str(&moment.format(&Rfc3339).map_err(S::Error::custom)?)
}

fn rfc3339_or_none<S: Serializer>(seconds: &Option<UnixSeconds>, serializer: S) -> Result<S::Ok, S::Error> {
    match seconds {
        Some(seconds) => rfc3339(seconds, serializer),
        None => serializer.serialize_none(),
    }
}

impl Inspector {
    /// An inspector with the keys and realms of this configuration.
    ///
    /// # Errors
    /// When sessions would refuse to launch with it.
    pub fn new(figment: &Figment) -> Result<Inspector, ConfigError> {
        settings::read(figment).map(Inspector)
    }

    /// Opens every session in `text`: a `Cookie:` header with or without its name, a `Set-Cookie:` line,
    /// or one bare value, which is tried under the name of each realm. Whether one has expired is judged
    /// by `now`, in seconds since 1970. Empty when there is no cookie of any realm.
    pub fn open(&self, text: &str, now: UnixSeconds) -> Vec<Inspection> {
        let text = text.trim();
        let header = match text.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("cookie") => value,
            Some((name, value)) if name.eq_ignore_ascii_case("set-cookie") => value,
            _ => text,
        };
        let realms = &self.0;
        let named = realms.iter().flat_map(|realm| inspect(realm, header, now)).collect::<Vec<_>>();
        if !named.is_empty() || header.is_empty() || header.trim_end_matches('=').contains(['=', ';']) {
            return named;
        }
        let bare = |realm: &RealmSettings| inspect(realm, &format!("{}={header}", realm.cookie.name), now);
        let tried = realms.iter().flat_map(bare).collect::<Vec<_>>();
        if tried.iter().any(|found| found.key.is_some()) {
            tried.into_iter().filter(|found| found.key.is_some()).collect()
        } else {
            tried
        }
    }
}

fn inspect(realm: &RealmSettings, header: &str, now: UnixSeconds) -> Vec<Inspection> {
    let sent = RequestCookies::parse(std::iter::once(header), &realm.cookie.name);
    let format = CookieFormat::new(&realm.cookie);
    let mut found = Vec::new();
    for value in sent.values() {
        let mut inspection = Inspection::of(realm);
        let period = KeyId::split(value.text()).map(|(id, _)| id.period);
        inspection.period = period.map(|period| KeyPeriod { from: period.start(), until: period.end() });
        match format.open(&realm.keyring, &value, now) {
            Ok((ticket, age)) => {
                inspection.key = Some(if age == KeyAge::Current { "current" } else { "previous" });
                inspection.describe(realm, ticket.text(), now);
            }
            Err(Invalid::Seal) if period.is_some_and(|period| !realm.keyring.opens(&period, now)) => {
                inspection.problem = Some(OTHER_PERIOD.into());
            }
            Err(reason) => inspection.problem = Some(explain(Arrival::Invalid(reason)).into()),
        }
        found.push(inspection);
    }
    if found.is_empty() && !sent.is_empty() {
        let problem = Some(explain(Arrival::Invalid(Invalid::Malformed)).into());
        found.push(Inspection { problem, ..Inspection::of(realm) });
    }
    found
}

impl Inspection {
    fn of(realm: &RealmSettings) -> Inspection {
        let (realm, cookie) = (realm.path.clone(), realm.cookie.name.clone());
        Inspection { realm, cookie, key: None, period: None, session: None, record: None, problem: None }
    }

    fn describe(&mut self, realm: &RealmSettings, ticket: &str, now: UnixSeconds) {
        if let Some(id) = Id::from_text(ticket) {
            self.session = Some(realm.keyring.handle(&IdHash::of(&id)));
            self.problem = Some("it carries only an id: the session itself is on the server".into());
            return;
        }
        match Record::decode(ticket) {
            Ok(record) => {
                self.session = Some(realm.keyring.handle(&IdHash::of(&record.id)));
                let judged = realm.timeouts.judge(&record, now);
                self.problem = (judged != Arrival::Resumed).then(|| explain(judged).into());
                self.record = RawValue::from_string(record.data.clone()).ok().map(|data| OpenedRecord {
                    created: record.created,
                    seen: record.seen,
                    expires: realm.timeouts.expires(&record),
                    version: record.version,
                    remembered: record.remembered,
                    signed_in: record.signed_in,
                    subject: record.subject,
                    data,
                });
            }
            Err(reason) => self.problem = Some(explain(Arrival::Invalid(reason)).into()),
        }
    }
}

const OTHER_PERIOD: &str =
    "the key of the period that it names does not open at this time: no session of it can be alive";

fn explain(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Invalid(Invalid::Malformed) => {
            "it is not the text of a sealed cookie, or not all of its chunks"
        }
        Arrival::Invalid(Invalid::Seal) => {
            "no key opens it: it was changed, or sealed by another key or under another name"
        }
        Arrival::Invalid(Invalid::Format) => "it is genuine, but of a format that this version does not know",
        Arrival::Invalid(Invalid::Future) => "it is genuine, but says that it was made in the future",
        Arrival::Expired(Timeout::Idle) => "it is genuine, but was idle for too long",
        Arrival::Expired(Timeout::Absolute) => "it is genuine, but too old",
        _ => "it is not a live session",
    }
}

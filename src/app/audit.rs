//! What the log says of sessions and accounts: a line for each event, for programs to read (ASVS 5.0, 16.3).

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::fmt::Display;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::SystemTime;

use log::Level;
use rocket::request::{FromRequest, Outcome, Request};
use sealed_sessions::events::{Event, Kind, Listener, RequestId, Unkept};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::accounts::{Account, Verified};
use super::logger::{self, Format};

/// The most of a name that is logged, in characters.
const MAX_TYPED: usize = 64;

/// The most of an explanation that is logged, in characters.
const MAX_WHY: usize = 500;

/// Logs the events of sessions.
pub(super) struct SessionLog;

impl Listener for SessionLog {
    fn hear(&self, event: &Event<'_>) {
        let Some(level) = level(event.kind()) else { return };
        let line = Line::new(level, event.kind().name()).pair("realm", event.realm());
        let count = match event.kind() {
            Kind::AllEnded { count, .. } => count,
            _ => None,
        };
        line.maybe("reason", event.kind().reason())
            .maybe("session", event.session())
            .maybe("before", event.before())
            .maybe("account", event.subject())
            .maybe("count", count)
            .maybe("why", event.why().map(|why| cut(&why, MAX_WHY)))
            .maybe("request", event.request())
            .write();
    }

    fn logs(&self) -> bool {
        true
    }
}

/// How grave an event is; `None` for what is counted only.
fn level(kind: Kind) -> Option<Level> {
    Some(match kind {
        Kind::Resumed | Kind::Merged | Kind::Sealed { .. } | Kind::Called { .. } | Kind::LedgerAge(_) => {
            return None;
        }
        Kind::NotKept(Unkept::TooManySessions) => Level::Info,
        Kind::StoreFault | Kind::NotKept(_) => Level::Error,
        Kind::Replayed | Kind::FormRefused(_) => Level::Warn,
        Kind::Refused(_) | Kind::Opened => Level::Debug,
        _ => Level::Info,
    })
}

/// What a page logs of an account, with the name of its request.
pub(super) struct Audit {
    request: RequestId,
    names: Arc<Names>,
}

/// Hashes names with a key that this process alone has, and forgets: equal hashes are equal names, and nobody learns
/// which. People type their password into the wrong field.
#[derive(Default)]
pub(super) struct Names(RandomState);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Audit {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Audit, Infallible> {
        let names = request.rocket().state::<Arc<Names>>().cloned().unwrap_or_default();
        Outcome::Success(Audit { request: RequestId::of(request), names })
    }
}

impl Audit {
    /// Logs what has been done about an account.
    pub(super) fn done(&self, event: &'static str, account: &Account) {
        self.about(Level::Info, event, account).write();
    }

    /// Logs that the password of an account that is signed in was wrong.
    pub(super) fn wrong_password(&self, event: &'static str, account: &Account) {
        self.about(Level::Warn, event, account).pair("reason", "wrong_password").write();
    }

    /// Logs that a sign-in was refused. What was typed for a name is logged only if an account has it.
    pub(super) fn sign_in_refused(&self, refused: &Verified, typed: &str) {
        let event = "sign_in_refused";
        let known = |account, reason| self.about(Level::Warn, event, account).pair("reason", reason);
        let line = match refused {
            Verified::WrongPassword(account) => {
                known(account, "wrong_password").pair("name", cut(&account.name, MAX_TYPED))
            }
            Verified::Disabled(account) => {
                known(account, "disabled").pair("name", cut(&account.name, MAX_TYPED))
            }
            Verified::Unknown => self
                .line(Level::Warn, event)
                .pair("reason", "unknown_name")
                .pair("name_hash", format_args!("{:016x}", self.names.0.hash_one(typed))),
            // The throttle has said so.
            Verified::TooOften(_) | Verified::Right(_) => return,
        };
        line.write();
    }

    fn about(&self, level: Level, event: &'static str, account: &Account) -> Line {
        self.line(level, event).pair("account", account.id)
    }

    fn line(&self, level: Level, event: &'static str) -> Line {
        Line::new(level, event).pair("request", self.request)
    }
}

/// One line.
struct Line {
    level: Level,
    pairs: Vec<(&'static str, String)>,
}

impl Line {
    fn new(level: Level, event: &'static str) -> Line {
        let now = OffsetDateTime::from(SystemTime::now()).format(&Rfc3339).unwrap_or_default();
        let pairs =
            vec![("time", now), ("level", level.as_str().to_ascii_lowercase()), ("event", event.to_owned())];
        Line { level, pairs }
    }

    fn pair(mut self, key: &'static str, value: impl Display) -> Line {
        self.pairs.push((key, value.to_string()));
        self
    }

    fn maybe(self, key: &'static str, value: Option<impl Display>) -> Line {
        match value {
            Some(value) => self.pair(key, value),
            None => self,
        }
    }

    fn write(self) {
        let Line { level, pairs } = self;
        if log::log_enabled!(target: logger::EVENT, level) {
            log::log!(target: logger::EVENT, level, "{}", formatted(pairs, logger::format()));
        }
    }
}

fn formatted(pairs: Vec<(&'static str, String)>, format: Format) -> String {
    match format {
        Format::Json => {
            let object: Map<String, Value> =
                pairs.into_iter().map(|(key, value)| (key.to_owned(), Value::String(value))).collect();
            Value::Object(object).to_string()
        }
        Format::Text => {
            let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", quoted(value)));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// A value as it is if it is one word, else between quotes and with its line breaks escaped.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) { value.to_owned() } else { format!("{value:?}") }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(value: &str) -> Vec<(&'static str, String)> {
        vec![("event", "signed_in".to_owned()), ("name", value.to_owned())]
    }

    #[test]
    fn a_value_that_is_not_one_word_stays_one_value_on_one_line() {
        let text = |value| formatted(pairs(value), Format::Text);
        assert_eq!(text("ada"), "event=signed_in name=ada");
        assert_eq!(text(""), "event=signed_in name=\"\"");
        assert_eq!(text("a b=c \"d\""), "event=signed_in name=\"a b=c \\\"d\\\"\"");
        assert_eq!(text("a\r\nevent=forged\u{85}"), "event=signed_in name=\"a\\r\\nevent=forged\\u{85}\"");
    }

    #[test]
    fn a_line_of_json_is_one_object_with_text_alone() {
        for value in ["ada", "a \"b\"", "a\r\n{\"event\":\"forged\"}"] {
            let line = formatted(pairs(value), Format::Json);
            assert!(!line.contains('\n'), "{line}");
            let read: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read, serde_json::json!({ "event": "signed_in", "name": value }));
        }
    }
}

//! A line of the log about one event, for programs to read (ASVS 5.0, 16.3): `key=value`, or one object of JSON.

use std::fmt::Display;
use std::time::SystemTime;

use log::Level;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::logger::{self, Format};

/// The most of an explanation that is logged, in characters.
const MAX_WHY: usize = 500;

/// One line.
pub(super) struct Line {
    level: Level,
    pairs: Vec<(&'static str, String)>,
}

impl Line {
    /// A line of this event, now.
    pub(super) fn new(level: Level, event: &'static str) -> Line {
        let now = OffsetDateTime::from(SystemTime::now()).format(&Rfc3339).unwrap_or_default();
        let pairs =
            vec![("time", now), ("level", level.as_str().to_ascii_lowercase()), ("event", event.to_owned())];
        Line { level, pairs }
    }

    /// Adds a value.
    pub(super) fn pair(mut self, key: &'static str, value: impl Display) -> Line {
        self.pairs.push((key, value.to_string()));
        self
    }

    /// Adds a value if there is one.
    pub(super) fn maybe(self, key: &'static str, value: Option<impl Display>) -> Line {
        match value {
            Some(value) => self.pair(key, value),
            None => self,
        }
    }

    /// Adds an explanation if there is one, cut to a bounded length.
    pub(super) fn why(self, why: Option<impl Display>) -> Line {
        self.maybe("why", why.map(|why| cut(&why.to_string(), MAX_WHY)))
    }

    /// Writes it to the log.
    pub(super) fn write(self) {
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

/// The first so many characters.
pub(super) fn cut(text: &str, characters: usize) -> String {
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

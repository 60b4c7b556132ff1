//! A cookie's name and attributes, and what browsers demand of them.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// How a cookie is named and which attributes it has.
pub(crate) struct CookieSettings {
    pub(crate) name: String,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) partitioned: bool,
    pub(crate) persistent: Persistent,
    pub(crate) max_bytes: usize,
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

/// Which sessions the browser keeps when it is closed (`Max-Age`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistent {
    Always,
    Never,
    /// Those whose login asked to be remembered (SP 800-63B-4, 5.1).
    Remembered,
}

impl<'de> Deserialize<'de> for Persistent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Persistent, D::Error> {
        deserializer.deserialize_any(PersistentVisitor)
    }
}

struct PersistentVisitor;

impl Visitor<'_> for PersistentVisitor {
    type Value = Persistent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"remembered\", true or false")
    }

    fn visit_bool<E>(self, always: bool) -> Result<Persistent, E> {
        Ok(if always { Persistent::Always } else { Persistent::Never })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Persistent, E> {
        match text {
            "remembered" => Ok(Persistent::Remembered),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

/// A setting that browsers would not accept.
pub(crate) struct Refused {
    pub(crate) key: &'static str,
    pub(crate) problem: String,
    pub(crate) accepted: &'static str,
}

type Checked = Result<(), Refused>;

fn refuse(key: &'static str, problem: String, accepted: &'static str) -> Checked {
    Err(Refused { key, problem, accepted })
}

impl CookieSettings {
    /// Checks the settings of the cookie of `realm`.
    pub(crate) fn check(&self, realm: &str) -> Checked {
        self.check_name()?;
        self.check_prefix()?;
        self.check_secure()?;
        self.check_domain()?;
        self.check_path(realm)?;
        if !(256..=65536).contains(&self.max_bytes) {
            return refuse("max_cookie_bytes", format!("is {}", self.max_bytes), "256 to 65536");
        }
        Ok(())
    }

    fn check_name(&self) -> Checked {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let name = &self.name;
        if name.is_empty() || !name.bytes().all(token) || name.len() > 64 {
            let accepted = "a name of 1 to 64 letters, digits and -_. (RFC 6265bis)";
            return refuse("cookie", format!("is {name:?}"), accepted);
        }
        if name.rsplit_once('.').is_some_and(|(_, last)| last.bytes().all(|byte| byte.is_ascii_digit())) {
            let accepted = "a name that does not end in a dot and a number, as chunks do";
            return refuse("cookie", format!("is {name:?}"), accepted);
        }
        Ok(())
    }

    /// Holds a name to what its prefix promises (RFC 6265bis, 4.1.3).
    fn check_prefix(&self) -> Checked {
        let name = &self.name;
        let folded = name.to_ascii_lowercase();
        let host = folded.starts_with("__host-");
        if (host || folded.starts_with("__secure-") || folded.starts_with("__http-")) && !self.secure {
            let problem = format!("is false, which browsers refuse for a cookie named {name:?}");
            let accepted = "true, or a cookie name without a prefix (cookie = \"session\")";
            return refuse("secure", problem, accepted);
        }
        if host && self.path != "/" {
            let problem = format!("is {:?}, which browsers refuse for a cookie named {name:?}", self.path);
            return refuse("path", problem, "\"/\", or a cookie name without __Host-");
        }
        if let (true, Some(domain)) = (host, &self.domain) {
            let problem = format!("is {domain:?}, which browsers refuse for a cookie named {name:?}");
            return refuse("domain", problem, "none, or a cookie name without __Host-");
        }
        Ok(())
    }

    fn check_secure(&self) -> Checked {
        if self.same_site == SameSite::None && !self.secure {
            let problem = "is \"None\" while secure is false".into();
            return refuse("same_site", problem, "\"Lax\" or \"Strict\", or secure = true");
        }
        if self.partitioned && !self.secure {
            return refuse("partitioned", "is true while secure is false".into(), "false, or secure = true");
        }
        Ok(())
    }

    fn check_domain(&self) -> Checked {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        match &self.domain {
            Some(domain) if domain.is_empty() || !domain.bytes().all(plain) => {
                refuse("domain", format!("is {domain:?}"), "a host name such as \"example.org\"")
            }
            _ => Ok(()),
        }
    }

    fn check_path(&self, realm: &str) -> Checked {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
        if !self.path.starts_with('/') || !self.path.bytes().all(plain) {
            return refuse("path", format!("is {:?}", self.path), "a path such as \"/\" or \"/shop\"");
        }
        // As browsers compare (RFC 6265, 5.1.4): a cookie of path "/shop/" is not sent to "/shop".
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/');
        let covers = realm.strip_prefix(self.path.as_str()).is_some_and(below);
        if realm != "/" && !covers {
            let problem = format!("is {:?}, so browsers do not send the cookie to {realm:?}", self.path);
            return refuse("path", problem, "\"/\" or a path that the realm lies in");
        }
        Ok(())
    }
}

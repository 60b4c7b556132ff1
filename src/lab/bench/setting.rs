//! How a column is written: the setting of a store, or `cookie+` and the setting of a ledger.

use std::path::Path;
use std::sync::Arc;

use sealed_sessions::ledger::{self, Log};
use sealed_sessions::store::{self, Store};

/// What precedes the setting of a ledger: only the cookie store has one.
const WITH_LEDGER: &str = "cookie+";

/// The settings `store` and `revocation` of a column. Not `Debug`: either may be a URL with a password.
#[derive(Clone)]
pub(in crate::lab) struct Setting {
    store: String,
    revocation: Option<String>,
}

impl Setting {
    /// Reads a setting such as `memory`, `redis://127.0.0.1:6379` or `cookie+sqlite`.
    pub(in crate::lab) fn of(text: &str) -> Setting {
        match text.strip_prefix(WITH_LEDGER) {
            Some(ledger) => Setting { store: "cookie".into(), revocation: Some(ledger.into()) },
            None => Setting { store: text.into(), revocation: None },
        }
    }

    /// The kind of store without its address, which may hold a password.
    pub(in crate::lab) fn kind(&self) -> String {
        if self.has_ledger() {
            return "cookie + ledger".into();
        }
        match scheme(&self.store) {
            "postgresql" => "postgres".into(),
            scheme => scheme.split('+').next().unwrap_or_default().into(),
        }
    }

    pub(in crate::lab) fn has_ledger(&self) -> bool {
        self.revocation.is_some()
    }

    /// Whether each session is in its own cookie.
    pub(in crate::lab) fn keeps_cookies(&self) -> bool {
        self.store == "cookie"
    }

    /// Whether what it keeps is in the memory of one process.
    pub(in crate::lab) fn is_in_memory(&self) -> bool {
        scheme(self.kept()) == "memory"
    }

    /// With room for so many sessions of each sort, where a store keeps them in memory.
    pub(in crate::lab) fn with_room(&self, sessions: usize) -> Setting {
        if self.has_ledger() || !self.is_in_memory() {
            return self.clone();
        }
        Setting { store: format!("memory:{sessions}"), revocation: None }
    }

    /// Whether it is to be a temporary file.
    pub(in crate::lab) fn is_temporary_file(&self) -> bool {
        self.kept() == "sqlite"
    }

    /// The setting of what keeps sessions or their ends.
    fn kept(&self) -> &str {
        self.revocation.as_deref().unwrap_or(&self.store)
    }

    /// With `file` where a temporary file is asked for.
    pub(in crate::lab) fn in_file(&self, file: &Path) -> Setting {
        if !self.is_temporary_file() {
            return self.clone();
        }
        let kept = format!("sqlite:{}", file.display());
        match self.revocation {
            Some(_) => Setting { revocation: Some(kept), ..self.clone() },
            None => Setting { store: kept, revocation: None },
        }
    }

    /// As [`Setting::of`] reads it.
    pub(in crate::lab) fn text(&self) -> String {
        match &self.revocation {
            Some(ledger) => format!("{WITH_LEDGER}{ledger}"),
            None => self.store.clone(),
        }
    }

    /// Opens what is set, for a realm of this name. Connects nowhere yet.
    ///
    /// # Errors
    /// What is wrong with the setting, and what is accepted. Shows no password.
    pub(in crate::lab) fn open(&self, realm: &str) -> Result<Kept, String> {
        let refuse = |what: &str, setting: &str, problem: String| {
            format!(
                "the {what} {:?} {problem}; accepted: cookie, memory, sqlite, the URL of a store, or cookie+LEDGER, where \
                 LEDGER is memory, sqlite or the URL of a ledger",
                scheme(setting)
            )
        };
        let store =
            store::open(&self.store, realm).map_err(|problem| refuse("store", &self.store, problem))?;
        let log = match &self.revocation {
            Some(ledger) => {
                Some(ledger::open(ledger, realm).map_err(|problem| refuse("ledger", ledger, problem))?)
            }
            None => None,
        };
        Ok(Kept { store, log })
    }
}

/// The part of a setting that names the kind of store. What follows the colon may hold a password.
fn scheme(setting: &str) -> &str {
    setting.split(':').next().unwrap_or_default()
}

/// What keeps the sessions of a server.
#[derive(Clone)]
pub(in crate::lab) struct Kept {
    pub(in crate::lab) store: Arc<dyn Store>,
    /// Where the ends of cookie sessions are kept.
    pub(in crate::lab) log: Option<Arc<dyn Log>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_with_its_bound_is_memory_and_can_be_given_room() {
        for (text, in_memory, with_room) in [
            ("memory", true, "memory:7"),
            ("memory:200000", true, "memory:7"),
            ("cookie+memory", true, "cookie+memory"),
            ("cookie", false, "cookie"),
            ("sqlite:memory", false, "sqlite:memory"),
        ] {
            let setting = Setting::of(text);
            assert_eq!((setting.is_in_memory(), &*setting.with_room(7).text()), (in_memory, with_room));
        }
    }

    #[test]
    fn a_ledger_is_written_after_the_cookie_store_alone() {
        for (text, kind) in [
            ("cookie", "cookie"),
            ("cookie+sqlite", "cookie + ledger"),
            ("cookie+redis://user:secret@127.0.0.1", "cookie + ledger"),
            ("postgresql://user:secret@127.0.0.1/lab", "postgres"),
            ("mongodb+srv://user:secret@example.org", "mongodb"),
        ] {
            let setting = Setting::of(text);
            assert_eq!((setting.kind().as_str(), setting.text().as_str()), (kind, text));
        }
        for (text, problem) in [
            ("memory+sqlite", "the store \"memory+sqlite\" begins with"),
            ("cookie+", "the ledger \"\" begins with"),
            ("cookie+cookie", "the ledger \"cookie\" begins with"),
            ("cookie+floppy:secret", "the ledger \"floppy\" begins with"),
            ("cookie+memory:secret", "the ledger \"memory\" cannot be used"),
        ] {
            let refused = Setting::of(text).open("lab").err().unwrap();
            assert!(refused.starts_with(problem) && refused.contains("accepted: cookie, "), "{refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}

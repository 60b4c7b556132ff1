//! A listener that remembers.

use std::sync::{Arc, Mutex};

use sealed_sessions::events::{Event, Kind, Listener};

/// What an event said.
#[derive(Debug, Clone)]
pub struct Heard {
    pub kind: Kind,
    pub realm: String,
    pub session: Option<String>,
    pub before: Option<String>,
    pub subject: Option<String>,
    pub request: Option<String>,
    pub why: Option<String>,
}

/// Remembers all events but those that are told of every call and every reading.
#[derive(Clone, Default)]
pub struct Ear {
    heard: Arc<Mutex<Vec<Heard>>>,
    /// Whether it says that it writes a log.
    pub logs: bool,
}

impl Ear {
    /// What has happened since it was last asked.
    pub fn events(&self) -> Vec<Heard> {
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap());
        heard.retain(|heard| !matches!(heard.kind, Kind::Called { .. } | Kind::LedgerAge(_)));
        heard
    }

    /// The names of what has happened since it was last asked, with the reasons.
    pub fn names(&self) -> Vec<String> {
        let name = |heard: &Heard| match heard.kind.reason() {
            Some(reason) => format!("{} {reason}", heard.kind.name()),
            None => heard.kind.name().to_owned(),
        };
        self.events().iter().map(name).collect()
    }

    /// All kinds since it was last asked.
    pub fn kinds(&self) -> Vec<Kind> {
        std::mem::take(&mut *self.heard.lock().unwrap()).iter().map(|heard| heard.kind).collect()
    }
}

impl Listener for Ear {
    fn hear(&self, event: &Event<'_>) {
        self.heard.lock().unwrap().push(Heard {
            kind: event.kind(),
            realm: event.realm().to_owned(),
            session: event.session(),
            before: event.before(),
            subject: event.subject().map(str::to_owned),
            request: event.request().map(|request| request.to_string()),
            why: event.why(),
        });
    }

    fn logs(&self) -> bool {
        self.logs
    }
}

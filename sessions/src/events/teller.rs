//! Telling the listeners of one realm.

use std::sync::Arc;
use std::time::Instant;

use super::event::{About, Event};
use super::kind::{Call, Kind};
use super::listener::Listener;
use crate::cookie::keyring::Keyring;

/// Tells the app's listeners what happens in a realm. Does nothing if there is none.
#[derive(Clone)]
pub(crate) struct Teller(Option<Arc<Heard>>);

struct Heard {
    listeners: Vec<Arc<dyn Listener>>,
    realm: String,
    keyring: Arc<Keyring>,
}

impl Teller {
    pub(crate) fn new(listeners: &[Arc<dyn Listener>], realm: &str, keyring: &Arc<Keyring>) -> Teller {
        Teller((!listeners.is_empty()).then(|| {
            Arc::new(Heard {
                listeners: listeners.to_vec(),
                realm: realm.to_owned(),
                keyring: Arc::clone(keyring),
            })
        }))
    }

    /// Whether anyone listens. What only an event needs is not worked out unless somebody does.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a listener logs what it hears.
    pub(crate) fn logs(&self) -> bool {
        self.0.as_ref().is_some_and(|heard| heard.listeners.iter().any(|listener| listener.logs()))
    }

    pub(crate) fn tell(&self, kind: Kind, about: About<'_>) {
        let Some(heard) = &self.0 else { return };
        let event = Event { kind, realm: &heard.realm, keyring: &heard.keyring, about };
        heard.listeners.iter().for_each(|listener| listener.hear(&event));
    }

    /// When a call begins; `None` if nobody wants to know.
    pub(crate) fn begin(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// Tells how long a call took.
    pub(crate) fn called(&self, call: Call, begun: Option<Instant>) {
        if let Some(begun) = begun {
            self.tell(Kind::Called { call, took: begun.elapsed() }, About::default());
        }
    }
}

//! One event.

use std::fmt;

use super::kind::Kind;
use super::request_id::RequestId;
use crate::cookie::keyring::Keyring;
use crate::record::id::{Id, IdHash};

/// Something that has happened to a session, or to all sessions of a realm.
///
/// `Debug` shows its kind, its realm and its request.
pub struct Event<'e> {
    pub(super) kind: Kind,
    pub(super) realm: &'e str,
    pub(super) keyring: &'e Keyring,
    pub(super) about: About<'e>,
}

/// Whom and what an event is about, as far as that is known.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'e> {
    pub(crate) session: Option<Name<'e>>,
    pub(crate) before: Option<Name<'e>>,
    pub(crate) subject: Option<&'e str>,
    pub(crate) request: Option<RequestId>,
    pub(crate) why: Option<&'e dyn fmt::Display>,
}

/// What a session's handle is worked out from, once somebody asks for it.
#[derive(Clone, Copy)]
pub(crate) enum Name<'e> {
    Id(&'e Id),
    Hash(&'e IdHash),
    Handle(&'e str),
}

impl Event<'_> {
    /// What has happened.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The path prefix of the realm; `"/"` for the whole site.
    pub fn realm(&self) -> &str {
        self.realm
    }

    /// The session's handle, a keyed hash of its id, as lists and the commands of operators have it; `None` if no session
    /// is known. It is worked out here: a few microseconds, so ask for it only if you use it.
    pub fn session(&self) -> Option<String> {
        self.about.session.map(|name| self.handle(name))
    }

    /// The handle that the session had before, where the event has given it a new id.
    pub fn before(&self) -> Option<String> {
        self.about.before.map(|name| self.handle(name))
    }

    /// The session's subject as [`SessionData::subject`](crate::SessionData::subject) returns it; `None` if nobody is signed
    /// in, or it is not known. If it tells a person's name or address, think twice before you log it.
    pub fn subject(&self) -> Option<&str> {
        self.about.subject
    }

    /// The request that this has happened in; `None` in the background.
    pub fn request(&self) -> Option<RequestId> {
        self.about.request
    }

    /// What is wrong, in words for an operator: of a [`Kind::StoreFault`] or [`Kind::NotKept`]. Shows no value of the
    /// session.
    pub fn why(&self) -> Option<String> {
        self.about.why.map(ToString::to_string)
    }

    fn handle(&self, name: Name<'_>) -> String {
        match name {
            Name::Id(id) => self.keyring.handle(&IdHash::of(id)),
            Name::Hash(hash) => self.keyring.handle(hash),
            Name::Handle(handle) => handle.to_owned(),
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.kind)
            .field("realm", &self.realm)
            .field("request", &self.about.request)
            .finish_non_exhaustive()
    }
}

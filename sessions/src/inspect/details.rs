//! What a page or a log can say of a session, beside its data.

use std::fmt;

use crate::data::SessionData;
use crate::realm::Realm;
use crate::record::Record;
use crate::record::id::IdHash;
use crate::request::RequestSession;
use crate::store::Powers;

/// A session as it was loaded: what [`Session::inspect`](crate::Session::inspect) returns.
pub struct Details<'r, T> {
    realm: &'r Realm,
    request: &'r RequestSession<T>,
}

/// What a session takes on the wire, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wire {
    /// The number of cookies it was cut into; 1 unless it is large.
    pub cookies: usize,
    /// The name of the first cookie.
    pub name: usize,
    /// All values together.
    pub value: usize,
    /// The text inside the seal.
    pub ticket: usize,
    /// All names, `=` and values: what every request carries.
    pub request: usize,
    /// The whole `Set-Cookie` lines that set them.
    pub lines: usize,
}

impl<'r, T: SessionData> Details<'r, T> {
    pub(crate) fn new(realm: &'r Realm, request: &'r RequestSession<T>) -> Details<'r, T> {
        Details { realm, request }
    }

    /// The session's record; `None` for a new one.
    pub fn record(&self) -> Option<Record> {
        self.request.with_base(|base| base.record.clone())
    }

    /// The session's name for logs and for people: a keyed hash of its id.
    pub fn handle(&self) -> Option<String> {
        self.request.with_base(|base| self.realm.keyring.handle(&IdHash::of(&base.record.id)))
    }

    /// What the server can do to the session now that it is open.
    pub fn powers(&self) -> Powers {
        self.realm.store.powers()
    }

    /// What the session took on the wire.
    pub fn wire(&self) -> Option<Wire> {
        let sizes = self.request.sizes?;
        let cookie = &self.realm.cookie;
        self.request.with_base(|base| {
            let max_age = self.realm.timeouts.max_age(&base.record, self.request.now);
            let request = cookie.name_bytes(sizes.cookies) + sizes.value;
            Wire {
                cookies: sizes.cookies,
                name: cookie.name.len(),
                value: sizes.value,
                ticket: base.ticket.text().len(),
                request,
                lines: request + sizes.cookies * cookie.line_bytes(base.record.remembered, max_age),
            }
        })
    }

    /// The name of the session's cookie.
    pub fn cookie_name(&self) -> &'r str {
        &self.realm.cookie.name
    }

    /// Whether the session's cookie has the attribute `Secure`: browsers send it over TLS alone, or to their own machine.
    pub fn is_secure(&self) -> bool {
        self.realm.cookie.secure
    }

    /// The session's store: the part of the setting `store` before the first `:`.
    pub fn store_name(&self) -> &'r str {
        &self.realm.store_name
    }

    /// Whether the server keeps the session, so that its cookie carries only an id.
    pub fn is_on_server(&self) -> bool {
        self.realm.store.is_on_server()
    }
}

impl<T> fmt::Debug for Details<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details").field("realm", &self.realm.path).finish_non_exhaustive()
    }
}

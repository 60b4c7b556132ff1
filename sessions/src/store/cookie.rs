//! The stateless store: the ticket is the whole record, and the server keeps nothing.

use std::sync::Arc;

use super::{Loaded, Store, Write, Written};
use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::Record;

/// Keeps each session in its own cookie.
///
/// What it cannot do follows from keeping nothing: a copy of a cookie opens until it expires, even after
/// `delete`; no write is ever stale, so the last response wins; it has no facets. The setting `revocation` adds a
/// [ledger](crate::ledger), which ends copies too.
#[derive(Debug, Clone, Copy, Default)]
pub struct CookieStore;

pub(super) fn open(setting: &str, _realm: &str) -> Result<Arc<dyn Store>, String> {
    match setting {
        "cookie" => Ok(Arc::new(CookieStore)),
        _ => Err("the cookie store takes no address".into()),
    }
}

impl CookieStore {
    /// The session of a ticket, which is the whole record.
    pub(crate) fn read(ticket: &str) -> Loaded {
        Record::decode(ticket).map_or(Loaded::Unreadable, Loaded::Found)
    }

    /// The ticket of a record.
    pub(crate) fn written(record: &Record) -> Ticket {
        Ticket::written(record.data.len() + 128, |text| record.encode_into(text))
    }
}

#[rocket::async_trait]
impl Store for CookieStore {
    async fn load(&self, ticket: &str, _now: UnixSeconds) -> Result<Loaded, StoreError> {
        Ok(CookieStore::read(ticket))
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        Ok(Written::Saved(CookieStore::written(write.record)))
    }

    async fn delete(&self, _ticket: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

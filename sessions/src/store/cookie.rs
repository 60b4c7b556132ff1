//! The stateless store: the ticket is the whole record, and the server keeps nothing.

use std::sync::Arc;

use super::{Capabilities, Loaded, Store, Written};
use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// Keeps each session in its own cookie.
///
/// What it cannot do follows from keeping nothing: a copy of a cookie opens until it expires, also
/// after `delete`; it sees no conflict, so the last response wins; it has no list and no lock.
#[derive(Debug, Clone, Copy, Default)]
pub struct CookieStore;

pub(super) fn open(setting: &str, _realm: &str) -> Result<Arc<dyn Store>, String> {
    match setting {
        "cookie" => Ok(Arc::new(CookieStore)),
        _ => Err("the cookie store takes no address".into()),
    }
}

#[rocket::async_trait]
impl Store for CookieStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn load(&self, ticket: &str, _now: UnixSeconds) -> Result<Loaded, StoreError> {
        Ok(Record::decode(ticket).map_or(Loaded::Unreadable, Loaded::Found))
    }

    async fn create(&self, record: &Record, _expires: UnixSeconds) -> Result<Written, StoreError> {
        Ok(sent(record))
    }

    async fn update(
        &self,
        record: &Record,
        _expected: u32,
        _expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        Ok(sent(record))
    }

    async fn renew(
        &self,
        _old: &Id,
        record: &Record,
        _expected: u32,
        _expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        Ok(sent(record))
    }

    async fn touch(&self, record: &Record, _expires: UnixSeconds) -> Result<Written, StoreError> {
        Ok(sent(record))
    }

    async fn delete(&self, _id: &IdHash) -> Result<(), StoreError> {
        Ok(())
    }
}

fn sent(record: &Record) -> Written {
    Written::Saved(Ticket::written(record.data.len() + 128, |text| record.encode_into(text)))
}

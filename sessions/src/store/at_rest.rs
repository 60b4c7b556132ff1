//! Data at rest under the app's keys: whoever reads the store reads no session's data.

use std::sync::Arc;

use base64_simd::STANDARD;

use super::{Capabilities, Listed, Loaded, Lock, Store, Written};
use crate::clock::UnixSeconds;
use crate::cookie::keyring::Keyring;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::Id;
use crate::record::id::IdHash;

/// Another store whose records have their data sealed, each bound to its id, so that data moved from one
/// row to another does not open. Times, version and subject stay as they are: stores look things up by them.
pub(crate) struct SealedAtRest {
    inner: Arc<dyn Store>,
    keyring: Arc<Keyring>,
}

impl SealedAtRest {
    pub(crate) fn new(inner: Arc<dyn Store>, keyring: Arc<Keyring>) -> SealedAtRest {
        SealedAtRest { inner, keyring }
    }

    fn sealed(&self, record: &Record) -> Result<Record, StoreError> {
        let sealed = self.keyring.seal(&associated(&IdHash::of(&record.id)), Ticket::new(&record.data));
        let sealed = sealed.map_err(|_| StoreError::Failed("cannot seal the data".into()))?;
        Ok(Record { data: STANDARD.encode_to_string(sealed), ..without_data(record) })
    }

    /// None when no key of today opens it.
    fn opened(&self, id: &IdHash, data: &str) -> Option<String> {
        let sealed = STANDARD.decode_to_vec(data).ok()?;
        let (ticket, _) = self.keyring.open(&associated(id), sealed).ok()?;
        Some(ticket.text().to_owned())
    }
}

fn associated(id: &IdHash) -> Vec<u8> {
    [b"data at rest ", &id.as_bytes()[..]].concat()
}

fn without_data(record: &Record) -> Record {
    Record {
        data: String::new(),
        id: record.id,
        created: record.created,
        seen: record.seen,
        version: record.version,
        remembered: record.remembered,
        signed_in: record.signed_in,
        subject: record.subject.clone(),
    }
}

#[rocket::async_trait]
impl Store for SealedAtRest {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.inner.start().await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        Ok(match self.inner.load(ticket, now).await? {
            Loaded::Found(record) => match self.opened(&IdHash::of(&record.id), &record.data) {
                Some(data) => Loaded::Found(Record { data, ..record }),
                None => Loaded::Unreadable,
            },
            other => other,
        })
    }

    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        self.inner.create(&self.sealed(record)?, expires).await
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.inner.update(&self.sealed(record)?, expected, expires).await
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.inner.renew(old, &self.sealed(record)?, expected, expires).await
    }

    async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        self.inner.touch(&without_data(record), expires).await
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.inner.delete(id).await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let listed = self.inner.by_subject(subject, now).await?;
        // One that no key opens any more is none that a browser can resume.
        let opened = listed.into_iter().filter_map(|listed| {
            let data = self.opened(&listed.id, &listed.data)?;
            Some(Listed { data, ..listed })
        });
        Ok(opened.collect())
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        self.inner.end_all(subject, except, now).await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.sweep(now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.inner.lock(ticket).await
    }
}

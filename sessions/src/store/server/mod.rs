//! Sessions in a database: what every server store does, above the database.
//!
//! The ticket is the session's id and the database has only its hash, so nobody who reads it can open a session.

pub(in crate::store) mod backend;
mod body;
pub(in crate::store) mod detached;
mod lease;
pub(crate) mod lock;
pub(in crate::store) mod seal;

use std::sync::{Arc, OnceLock};

use self::backend::{Backend, Row, SubjectHash};
use self::body::{Body, of_marker, of_session};
use self::detached::{Caller, run_to_end};
use self::lease::Lease;
use self::lock::LocalLocks;
use self::seal::Sealer;
use super::{List, Listed, Loaded, Lock, Locks, Over, RENEWAL_GRACE, Revoke, Service, Store, Write, Written};
use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// A session is ended through at most so many renewals.
const MAX_RENEWALS: usize = 16;

/// The name of the sweepers' lease. Those of sessions are hashes, and longer.
const SWEEP: &[u8] = b"sweep";

/// Keeps sessions in a [`Backend`].
#[derive(Clone)]
pub struct ServerStore {
    backend: Arc<dyn Backend>,
    realm: String,
    locks: LocalLocks,
    sealer: Arc<OnceLock<Sealer>>,
}

impl ServerStore {
    /// A store over `backend`. `realm` keeps subjects of several stores in one database apart: give it the name
    /// of the realm's cookie.
    pub fn new(backend: impl Backend, realm: &str) -> ServerStore {
        ServerStore {
            backend: Arc::new(backend),
            realm: realm.to_owned(),
            locks: LocalLocks::default(),
            sealer: Arc::default(),
        }
    }

    fn row(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Result<Row, StoreError> {
        Ok(Row {
            version: record.version,
            seen: record.seen,
            expires,
            subject: record.subject.as_deref().map(|subject| SubjectHash::of(&self.realm, subject)),
            body: self.sealed(id, of_session(record))?,
        })
    }

    /// The marker under `id` of a session that is `next` from now on; `old` is what it was.
    fn marker(
        &self,
        id: &IdHash,
        next: &IdHash,
        old: Option<&Record>,
        now: UnixSeconds,
    ) -> Result<Row, StoreError> {
        let body = self.sealed(id, of_marker(next, old))?;
        let expires = now.saturating_add(RENEWAL_GRACE);
        Ok(Row { version: 0, seen: now, expires, subject: None, body })
    }

    fn sealed(&self, id: &IdHash, body: String) -> Result<Vec<u8>, StoreError> {
        match self.sealer.get() {
            Some(sealer) => sealer.seal(id, &body),
            None => Ok(body.into_bytes()),
        }
    }

    /// The text that [`ServerStore::sealed`] was given; `None` if no key of today opens it.
    fn text(&self, id: &IdHash, body: Vec<u8>) -> Option<String> {
        match self.sealer.get() {
            Some(sealer) => sealer.open(id, body),
            None => String::from_utf8(body).ok(),
        }
    }

    /// What a row holds; `None` if this version, or the keys of today, cannot read it.
    fn opened(&self, id: &IdHash, row: Row) -> Option<Body> {
        let text = self.text(id, row.body)?;
        match body::read(&text)? {
            // A touch moves the row's own time alone.
            Body::Session(fields) => Some(Body::Session(body::Fields { seen: row.seen, ..fields })),
            marker => Some(marker),
        }
    }

    async fn create(&self, id: &IdHash, record: &Record, row: &Row) -> Result<bool, StoreError> {
        Ok(self.backend.insert(id, row).await? || self.has(id, record).await?)
    }

    /// Whether a write that seems refused is there already: it was sent twice.
    async fn has(&self, id: &IdHash, record: &Record) -> Result<bool, StoreError> {
        let Some(found) = self.backend.get(id).await? else { return Ok(false) };
        let same_version = found.version == record.version;
        Ok(same_version && self.text(id, found.body).as_deref() == Some(&*of_session(record)))
    }

    /// Whether the ticket's session has become another one a moment ago.
    async fn is_superseded(&self, ticket: &str, now: UnixSeconds) -> Result<bool, StoreError> {
        Ok(matches!(self.load(ticket, now).await?, Loaded::Superseded(_)))
    }

    /// Leaves a marker under the id of a dead ticket. The session that was opened instead works without it.
    async fn mark_dead(&self, ticket: &str, next: &IdHash, now: UnixSeconds) {
        let Some(id) = IdHash::of_ticket(ticket) else { return };
        let marked = async {
            let marker = self.marker(&id, next, None, now)?;
            if !self.backend.insert(&id, &marker).await?
                && let Some(row) = self.backend.get(&id).await?
                && (row.version > 0 || row.expires <= now)
            {
                // What has expired is still to be swept.
                self.backend.remove(&id, row.version).await?;
                self.backend.insert(&id, &marker).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = marked.await {
            log::warn!("a session store cannot mark a dead id: {error}");
        }
    }

    /// The new session is written first; nobody knows its id yet. It counts from the moment in which the old one
    /// becomes a marker, which is one step. If that fails, the new one is removed.
    async fn renew(
        self,
        old: Record,
        record: Record,
        expires: UnixSeconds,
        caller: Caller,
    ) -> Result<Written, StoreError> {
        let (from, to) = (IdHash::of(&old.id), IdHash::of(&record.id));
        let row = self.row(&to, &record, expires)?;
        let marker = self.marker(&from, &to, Some(&old), record.seen)?;
        if !self.create(&to, &record, &row).await? {
            return Ok(Written::Stale);
        }
        if !caller.is_waiting() {
            self.backend.remove(&to, row.version).await?;
            return Err(StoreError::Failed("the request was given up".into()));
        }
        if self.backend.replace(&from, old.version, &marker).await? || self.leads_to(&from, &to).await? {
            return Ok(saved(&record));
        }
        self.backend.remove(&to, row.version).await?;
        Ok(Written::Stale)
    }

    /// Whether the marker of this very renewal is there already: it was sent twice.
    async fn leads_to(&self, from: &IdHash, to: &IdHash) -> Result<bool, StoreError> {
        let Some(row) = self.backend.get(from).await? else { return Ok(false) };
        Ok(matches!(self.opened(from, row), Some(Body::Marker { next, .. }) if next == *to))
    }

    async fn live_rows(&self, subject: &str, now: UnixSeconds) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let mut rows = self.backend.of_subject(&SubjectHash::of(&self.realm, subject)).await?;
        rows.retain(|(_, row)| row.version > 0 && now < row.expires);
        Ok(rows)
    }
}

#[rocket::async_trait]
impl Store for ServerStore {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        let hash = IdHash::of(&id);
        let Some(row) = self.backend.get(&hash).await?.filter(|row| now < row.expires) else {
            return Ok(Loaded::Missing);
        };
        Ok(match self.opened(&hash, row) {
            Some(Body::Session(fields)) => Loaded::Found(fields.into_record(id)),
            Some(Body::Marker { left, .. }) => {
                Loaded::Superseded(left.map(|left| Box::new(left.into_record(id))))
            }
            None => Loaded::Unreadable,
        })
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, over } = *write;
        let id = IdHash::of(&record.id);
        let done = match over {
            Over::Nothing => self.create(&id, record, &self.row(&id, record, expires)?).await?,
            Over::Dead { ticket, proven: false } => {
                !self.is_superseded(ticket, record.seen).await?
                    && self.create(&id, record, &self.row(&id, record, expires)?).await?
            }
            Over::Dead { ticket, proven: true } => {
                let created = self.create(&id, record, &self.row(&id, record, expires)?).await?;
                if created {
                    self.mark_dead(ticket, &id, record.seen).await;
                }
                created
            }
            Over::Version(expected) => {
                let row = self.row(&id, record, expires)?;
                self.backend.replace(&id, expected, &row).await? || self.has(&id, record).await?
            }
            Over::Renewed(old) => {
                let (store, old, record) = (self.clone(), old.clone(), record.clone());
                return run_to_end(|caller| store.renew(old, record, expires, caller)).await;
            }
            Over::Touch => self.backend.touch(&id, record.seen, expires).await?,
        };
        Ok(if done { saved(record) } else { Written::Stale })
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        match IdHash::of_ticket(ticket) {
            Some(id) => self.end(&id).await,
            None => Ok(()),
        }
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        Some(self)
    }

    fn list(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Revoke for ServerStore {
    async fn end(&self, id: &IdHash) -> Result<(), StoreError> {
        let mut id = *id;
        for _ in 0..MAX_RENEWALS {
            let Some(row) = self.backend.get(&id).await? else { return Ok(()) };
            let version = row.version;
            match self.opened(&id, row) {
                Some(Body::Marker { next, .. }) => id = next,
                // A session that is written meanwhile is looked at again.
                _ if self.backend.remove(&id, version).await? => return Ok(()),
                _ => {}
            }
        }
        Err(too_often())
    }

    /// One pass may miss a session that is being renewed, so two in a row must find none.
    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let (mut ended, mut empty) = (0, 0);
        for _ in 0..MAX_RENEWALS {
            let mut rows = self.live_rows(subject, now).await?;
            rows.retain(|(id, _)| Some(id) != except);
            for (id, _) in &rows {
                self.end(id).await?;
                ended += 1;
            }
            empty = if rows.is_empty() { empty + 1 } else { 0 };
            if empty == 2 {
                return Ok(ended);
            }
        }
        Err(too_often())
    }
}

#[rocket::async_trait]
impl List for ServerStore {
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let rows = self.live_rows(subject, now).await?;
        // One that no key opens is one that no browser can resume.
        Ok(rows.into_iter().filter_map(|(id, row)| listed(id, self.opened(&id, row)?)).collect())
    }
}

#[rocket::async_trait]
impl Locks for ServerStore {
    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        let Some(id) = IdHash::of_ticket(ticket) else { return Ok(Lock::new(())) };
        let turn = self.locks.lock(id).await;
        if self.backend.leases().is_none() {
            return Ok(Lock::new(turn));
        }
        let lease = Lease::new(&self.backend, id.as_bytes(), Some(turn))?;
        lease.granted().await?;
        Ok(Lock::new(lease))
    }
}

#[rocket::async_trait]
impl Service for ServerStore {
    async fn start(&self) -> Result<(), StoreError> {
        self.backend.start().await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        if self.backend.leases().is_none() {
            return self.backend.sweep(now).await;
        }
        let lease = Lease::new(&self.backend, SWEEP, None)?;
        if lease.ask().await? { self.backend.sweep(now).await } else { Ok(0) }
    }

    async fn stop(&self) {
        self.backend.stop().await;
    }

    fn seal_at_rest(&self, sealer: Sealer) -> bool {
        // Two realms of one app have the same keys.
        let _ = self.sealer.set(sealer);
        true
    }
}

/// The ticket of a server store is the id and nothing else.
fn saved(record: &Record) -> Written {
    Written::Saved(Ticket::new(&record.id.to_text()))
}

fn listed(id: IdHash, body: Body) -> Option<Listed> {
    let Body::Session(fields) = body else { return None };
    let body::Fields { created, seen, signed_in, remembered, data, .. } = fields;
    Some(Listed { id, created, seen, signed_in, remembered, data })
}

fn too_often() -> StoreError {
    StoreError::Failed("sessions are renewed faster than they can be ended".into())
}

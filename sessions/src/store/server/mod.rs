//! Sessions in a database: what every server store does, above the database.
//!
//! The ticket is the session's id and the database has only its hash, so nobody who reads it can open a session.

mod anonymous;
pub(in crate::store) mod backend;
mod body;
pub(in crate::store) mod detached;
mod everyone;
mod lease;
pub(crate) mod lock;
mod namespace;
mod rows;
pub(in crate::store) mod seal;
mod steps;

use std::ops::RangeInclusive;
use std::sync::Arc;

use self::anonymous::AnonymousBound;
use self::backend::Backend;
use self::body::Body;
use self::detached::{Caller, run_to_end_for};
use self::lease::Lease;
use self::lock::LocalLocks;
use self::rows::Rows;
use self::steps::Steps;
use super::{
    Everyone, List, Listed, Loaded, Lock, Locks, Over, Page, Revoke, Service, Store, StoreOptions, Write,
    Written,
};
use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// Ending a session gives up after this many renewals and faster writes.
const MAX_RENEWALS: usize = 16;

/// The versions of rows that are sessions, not markers.
const SESSIONS: RangeInclusive<u32> = 1..=u32::MAX;

/// The name of the sweepers' lease. Those of sessions are hashes, and longer.
const SWEEP: &[u8] = b"sweep";

/// Keeps sessions in a [`Backend`].
#[derive(Clone)]
pub struct ServerStore {
    steps: Steps,
    rows: Arc<Rows>,
    anonymous: Arc<AnonymousBound>,
    locks: LocalLocks,
}

impl ServerStore {
    /// A store over `backend`. `namespace` keeps the sessions of several stores in one database apart: give it the
    /// name of the realm's cookie.
    pub fn new(backend: impl Backend, namespace: &str) -> ServerStore {
        ServerStore {
            steps: Steps::new(backend),
            rows: Arc::new(Rows::new(namespace)),
            anonymous: Arc::default(),
            locks: LocalLocks::default(),
        }
    }

    /// Where the row of a session is.
    fn place_of(&self, id: &Id) -> IdHash {
        self.rows.place(&IdHash::of(id))
    }

    async fn create(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Result<bool, StoreError> {
        let row = self.rows.session(id, record, expires)?;
        if self.steps.take(|backend| backend.insert(id, &row)).await? {
            if record.subject.is_none() {
                self.anonymous.opened(&self.rows, &self.steps);
            }
            return Ok(true);
        }
        self.has(id, record).await
    }

    /// Whether a write that seems refused is there already: it was sent twice.
    async fn has(&self, id: &IdHash, record: &Record) -> Result<bool, StoreError> {
        let found = self.steps.take(|backend| backend.get(id)).await?;
        Ok(found.is_some_and(|row| self.rows.is_of(id, row, record)))
    }

    /// Whether the ticket's session has become another one a moment ago.
    async fn is_superseded(&self, ticket: &str, now: UnixSeconds) -> Result<bool, StoreError> {
        Ok(matches!(self.load(ticket, now).await?, Loaded::Superseded(_)))
    }

    /// Leaves a marker under the id of a dead ticket; one that is there leads to the last sign-in from now on. The session
    /// that was opened instead works without it.
    async fn mark_dead(&self, ticket: &str, next: &IdHash, now: UnixSeconds) {
        let Some(id) = self.rows.place_of_ticket(ticket) else { return };
        let marked = async {
            let marker = self.rows.marker(&id, next, None, now)?;
            if !self.steps.take(|backend| backend.insert(&id, &marker)).await?
                && let Some(row) = self.steps.take(|backend| backend.get(&id)).await?
            {
                if row.version > 0 || row.expires <= now {
                    // What has expired is still to be swept.
                    self.steps.take(|backend| backend.remove(&id, row.version..=row.version)).await?;
                    self.steps.take(|backend| backend.insert(&id, &marker)).await?;
                } else if let Some(marker) = self.rows.leading_to(next, ticket, &id, row)? {
                    self.steps.take(|backend| backend.replace(&id, 0, &marker)).await?;
                }
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = marked.await {
            log::warn!("a session store cannot mark a dead id: {error}");
        }
    }

    /// The new session is written first; nobody knows its id yet. It counts from the moment in which the old one
    /// becomes a marker, which is one step. If that fails, the new one is removed: also after an error, which leaves it open
    /// whether the step was taken, since nobody will ever learn its id.
    async fn renew(
        self,
        old: Record,
        record: Record,
        expires: UnixSeconds,
        caller: Caller,
    ) -> Result<Written, StoreError> {
        let (from, to) = (self.place_of(&old.id), self.place_of(&record.id));
        let marker = self.rows.marker(&from, &to, Some(&old), record.seen)?;
        if !self.create(&to, &record, expires).await? {
            return Ok(Written::Stale);
        }
        if !caller.is_waiting() {
            self.steps.take(|backend| backend.remove(&to, SESSIONS)).await?;
            return Err(StoreError::Failed("the request was given up".into()));
        }
        let becomes = async {
            let is_marked = self.steps.take(|backend| backend.replace(&from, old.version, &marker)).await?;
            Ok(is_marked || self.leads_to(&from, &to).await?)
        };
        let became = becomes.await;
        if let Ok(true) = became {
            return Ok(saved(&record));
        }
        let removed = self.steps.take(|backend| backend.remove(&to, SESSIONS)).await;
        became.and(removed).map(|_| Written::Stale)
    }

    /// Whether the marker of this very renewal is there already: it was sent twice.
    async fn leads_to(&self, from: &IdHash, to: &IdHash) -> Result<bool, StoreError> {
        let Some(row) = self.steps.take(|backend| backend.get(from)).await? else { return Ok(false) };
        Ok(matches!(self.rows.opened(from, row), Some(Body::Marker { next, .. }) if next == *to))
    }

    /// Removes what has expired, and the anonymous sessions beyond their bound.
    async fn clean(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        Ok(self.steps.take(|backend| backend.sweep(now)).await?
            + anonymous::trim(&self.rows, &self.steps).await?)
    }

    /// Ends the session whose row is at a place, or what it has become.
    async fn end_at(&self, mut place: IdHash) -> Result<(), StoreError> {
        for _ in 0..MAX_RENEWALS {
            // Whatever its version is: a session that is written all the time must not outrun its end.
            if self.steps.take(|backend| backend.remove(&place, SESSIONS)).await? {
                return Ok(());
            }
            let row = self.steps.take(|backend| backend.get(&place)).await?;
            match row {
                // It came meanwhile, or a write was faster.
                Some(row) if row.version > 0 => {}
                Some(row) => match self.rows.opened(&place, row) {
                    Some(Body::Marker { next, .. }) => place = next,
                    _ => return Ok(()),
                },
                None => return Ok(()),
            }
        }
        Err(StoreError::outrun())
    }
}

#[rocket::async_trait]
impl Store for ServerStore {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        let place = self.place_of(&id);
        let Some(row) = self.steps.take(|backend| backend.get(&place)).await?.filter(|row| now < row.expires)
        else {
            return Ok(Loaded::Missing);
        };
        Ok(match self.rows.opened(&place, row) {
            Some(Body::Session(fields)) => Loaded::Found(fields.into_record(id)),
            Some(Body::Marker { left, .. }) => {
                Loaded::Superseded(left.map(|left| Box::new(left.into_record(id))))
            }
            None => Loaded::Unreadable,
        })
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, over } = *write;
        let id = self.place_of(&record.id);
        let done = match over {
            Over::Nothing => self.create(&id, record, expires).await?,
            Over::Dead { ticket, proven: false } => {
                !self.is_superseded(ticket, record.seen).await? && self.create(&id, record, expires).await?
            }
            Over::Dead { ticket, proven: true } => {
                let created = self.create(&id, record, expires).await?;
                if created {
                    self.mark_dead(ticket, &id, record.seen).await;
                }
                created
            }
            Over::Version(expected) => {
                let row = self.rows.session(&id, record, expires)?;
                self.steps.take(|backend| backend.replace(&id, expected, &row)).await?
                    || self.has(&id, record).await?
            }
            Over::Renewed(old) => {
                let (store, old, record) = (self.clone(), old.clone(), record.clone());
                return run_to_end_for(|caller| store.renew(old, record, expires, caller)).await;
            }
            Over::Touch => self.steps.take(|backend| backend.touch(&id, record.seen, expires)).await?,
        };
        Ok(if done { saved(record) } else { Written::Stale })
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        match self.rows.place_of_ticket(ticket) {
            Some(place) => self.end_at(place).await,
            None => Ok(()),
        }
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        Some(self)
    }

    fn list(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn everyone(&self) -> Option<&dyn Everyone> {
        self.steps.backend().scan().map(|_| self as &dyn Everyone)
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
        self.end_at(self.rows.place(id)).await
    }

    /// One pass may miss a session that is being renewed, so two in a row must find none. Expired ones end too, uncounted:
    /// this clock may be ahead of the one by which somebody uses them.
    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let (subject, except) = (self.rows.subject(subject), except.map(|id| self.rows.place(id)));
        let (mut ended, mut empty) = (0, 0);
        for round in 0..MAX_RENEWALS {
            let mut rows = if round == 0 {
                self.steps.take(|backend| backend.all_of_subject(&subject, except.as_ref())).await?
            } else {
                self.steps.take(|backend| backend.of_subject(&subject)).await?
            };
            rows.retain(|(place, row)| Some(*place) != except && row.version > 0);
            for (place, row) in &rows {
                self.end_at(*place).await?;
                ended += u64::from(now < row.expires);
            }
            empty = if rows.is_empty() { empty + 1 } else { 0 };
            if empty == 2 {
                return Ok(ended);
            }
        }
        Err(StoreError::outrun())
    }
}

#[rocket::async_trait]
impl List for ServerStore {
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let subject = self.rows.subject(subject);
        let mut rows = self.steps.take(|backend| backend.of_subject(&subject)).await?;
        rows.retain(|(_, row)| row.version > 0 && now < row.expires);
        // One that no key opens is one that no browser can resume.
        let listed = |(place, row)| listed(self.rows.id_at(&place), self.rows.opened(&place, row)?);
        Ok(rows.into_iter().filter_map(listed).collect())
    }

    async fn successor(&self, ticket: &str, now: UnixSeconds) -> Result<Option<IdHash>, StoreError> {
        let Some(first) = self.rows.place_of_ticket(ticket) else { return Ok(None) };
        let mut place = first;
        for _ in 0..MAX_RENEWALS {
            let row = self.steps.take(|backend| backend.get(&place)).await?.filter(|row| now < row.expires);
            match row.and_then(|row| self.rows.opened(&place, row)) {
                Some(Body::Marker { next, .. }) => place = next,
                Some(Body::Session(_)) => return Ok((place != first).then(|| self.rows.id_at(&place))),
                None => return Ok(None),
            }
        }
        Err(StoreError::outrun())
    }
}

#[rocket::async_trait]
impl Everyone for ServerStore {
    async fn page(&self, from: &[u8], now: UnixSeconds) -> Result<Page, StoreError> {
        everyone::page(&self.rows, &self.steps, from, now).await
    }
}

#[rocket::async_trait]
impl Locks for ServerStore {
    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        let Some(id) = self.rows.place_of_ticket(ticket) else { return Ok(Lock::new(())) };
        let turn = self.locks.lock(id).await;
        if self.steps.backend().leases().is_none() {
            return Ok(Lock::new(turn));
        }
        let lease = Lease::new(self.steps.backend(), id.as_bytes(), Some(turn))?;
        lease.granted().await?;
        Ok(Lock::new(lease))
    }
}

#[rocket::async_trait]
impl Service for ServerStore {
    async fn start(&self) -> Result<(), StoreError> {
        self.steps.backend().start().await?;
        namespace::claim(&self.rows, &self.steps).await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        if self.steps.backend().leases().is_none() {
            return self.clean(now).await;
        }
        // The turn lasts until the lease is released: the next batch must not find this one's still there.
        let turn = self.locks.lock(IdHash::of_namespace("sweep")).await;
        let lease = Lease::new(self.steps.backend(), SWEEP, Some(turn))?;
        if lease.ask().await? { self.clean(now).await } else { Ok(0) }
    }

    async fn stop(&self) {
        self.steps.backend().stop().await;
    }

    fn configure(&self, options: StoreOptions) -> Result<(), &'static str> {
        let bounded = options.max_anonymous.filter(|max| !self.steps.backend().bounds_anonymous(*max));
        self.rows.set_options(StoreOptions { max_anonymous: bounded, ..options });
        Ok(())
    }
}

/// The ticket of a server store is the id and nothing else.
fn saved(record: &Record) -> Written {
    Written::Saved(Ticket::new(&record.id.to_text()))
}

fn listed(id: IdHash, body: Body) -> Option<Listed> {
    let Body::Session(fields) = body else { return None };
    Some(fields.into_listed(id))
}

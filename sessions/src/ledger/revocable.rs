//! Cookie sessions that a ledger can end.

use std::sync::Arc;

use super::node::{Ledger, Verdict};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::store::{CookieStore, Loaded, Over, Service, Store, Write, Written};

/// The cookie store with a [`Ledger`] beside it: each session is in its own cookie, and the ledger says which have
/// ended. It can end a session, a subject's sessions and everyone's, but list none.
pub(crate) struct Revocable {
    ledger: Arc<Ledger>,
}

impl Revocable {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Revocable {
        Revocable { ledger }
    }

    /// As [`Ledger::judge`], after one more reading if what the node knows is too old.
    async fn judged(&self, record: &Record, now: UnixSeconds) -> Result<Verdict, StoreError> {
        match self.ledger.judge(record, now) {
            // On the heap, so that ordinary requests do not carry the room for it.
            Verdict::Unknown => Box::pin(self.ledger.catch_up_if_old()).await?,
            verdict => return Ok(verdict),
        }
        match self.ledger.judge(record, now) {
            Verdict::Unknown => Err(StoreError::Failed("the ledger is older than revocation_max_age".into())),
            verdict => Ok(verdict),
        }
    }

    /// Whether a session that a request has loaded goes on. What it writes keeps its id and its position, so that a
    /// ledger that is too old ends it with the next request.
    fn goes_on(&self, record: &Record) -> bool {
        let verdict = self.ledger.judge(record, self.ledger.clock.seconds());
        matches!(verdict, Verdict::GoesOn | Verdict::Unknown)
    }

    /// A session under a new id: whose id is entered first, has renewed it.
    async fn renew(&self, old: &Record, new: &Record) -> Result<bool, StoreError> {
        // Whoever ends the subject's other sessions keeps their own: the new one is sealed above that entry.
        let sealed = Record { position: new.position, ..old.clone() };
        let is_same_subject = old.subject.is_some() && old.subject == new.subject;
        let before = if is_same_subject { &sealed } else { old };
        Ok(self.goes_on(before)
            && self.ledger.renew(old, new).await?
            && (!is_same_subject || self.is_above(new)))
    }

    /// Whether no entry for its subject, or for everyone, has ended a record.
    fn is_above(&self, new: &Record) -> bool {
        self.ledger.judge(new, self.ledger.clock.seconds()) != Verdict::Ended
    }
}

#[rocket::async_trait]
impl Store for Revocable {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Loaded::Found(record) = CookieStore::read(ticket) else { return Ok(Loaded::Unreadable) };
        Ok(match self.judged(&record, now).await? {
            Verdict::Superseded if record.subject.is_none() => Loaded::Superseded(Some(Box::new(record))),
            Verdict::Superseded => Loaded::Superseded(None),
            Verdict::Ended => Loaded::Missing,
            Verdict::GoesOn | Verdict::Unknown => Loaded::Found(record),
        })
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let record = write.record;
        let done = match write.over {
            Over::Nothing => true,
            Over::Dead { ticket, proven: false } => match CookieStore::read(ticket) {
                Loaded::Found(dead) => !self.ledger.is_superseded(&dead.id),
                _ => true,
            },
            Over::Dead { ticket, proven: true } => {
                if let Loaded::Found(dead) = CookieStore::read(ticket) {
                    Box::pin(self.ledger.replace(&dead, record)).await?;
                }
                true
            }
            Over::Version(_) | Over::Touch => self.goes_on(record),
            Over::Renewed(old) => Box::pin(self.renew(old, record)).await?,
        };
        Ok(if done { Written::Saved(CookieStore::written(record)) } else { Written::Stale })
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        match CookieStore::read(ticket) {
            Loaded::Found(record) => Box::pin(self.ledger.end(&record)).await,
            _ => Ok(()),
        }
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Service for Revocable {
    /// Reads all entries: until then no session with a subject goes on.
    async fn start(&self) -> Result<(), StoreError> {
        self.ledger.start().await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.ledger.forget(now).await
    }

    async fn stop(&self) {
        self.ledger.stop().await;
    }
}

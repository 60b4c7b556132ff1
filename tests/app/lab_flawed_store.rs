//! A store with a flaw that an experiment has to notice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use sealed_sessions::store::{
    Everyone, IdHash, List, Listed, Loaded, Locks, Over, Record, Revoke, Service, Store, StoreError, Ticket,
    UnixSeconds, Write, Written,
};
use sealed_sessions_app::lab::Column;

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flaw {
    DeletesNothing,
    ServesTheFirstRecord,
    IgnoresVersions,
    FindsNothing,
    EndsNothing,
    KeepsTheOldId,
    BringsBackTheDead,
    NeedsAServer,
    ForgetsWhenItStartsAgain,
    RefusesLargeData,
    ListsOnlyOne,
    LeavesNothing,
    SendsOldIdsAgain,
    ForgetsUse,
    LetsNobodyWait,
    /// It finds each session that there is, and fails where there is none.
    FailsWhereThereIsNone,
    FailsToLoad,
    FailsToList,
    /// It says that it has kept the sessions of this subject, and has not.
    LosesSessionsOf(&'static str),
    EndsAllAfterTwoHours,
    /// From 11 hours on it makes sessions half an hour younger.
    KeepsHalfAnHourTooLong,
    /// Of two requests that both load before either writes, it keeps only what the last one writes.
    LosesOneOfTwoThatOverlap,
}

const HOUR: UnixSeconds = 60 * 60;

/// What it says when it fails.
pub const FAULT: &str = "the disk is full";

fn fault() -> StoreError {
    StoreError::Failed(FAULT.into())
}

struct Flawed {
    inner: Arc<dyn Store>,
    flaw: Flaw,
    starts: AtomicU32,
    /// How often it was asked for a session since it wrote one.
    loads: AtomicU32,
    firsts: Mutex<HashMap<String, Record>>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Writes a record over whatever is there.
    async fn overwrite(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, .. } = *write;
        let Loaded::Found(there) = self.inner.load(&record.id.to_text(), record.seen).await? else {
            return Ok(Written::Stale);
        };
        let record = &Record { version: there.version + 1, ..record.clone() };
        self.inner.save(&Write { record, expires, over: Over::Version(there.version) }).await
    }
}

#[rocket::async_trait]
impl Store for Flawed {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.has(Flaw::FailsToLoad) {
            return Err(fault());
        }
        // The lab starts it, and so does each server that it is given to.
        let forgotten = self.has(Flaw::ForgetsWhenItStartsAgain) && self.starts.load(Ordering::SeqCst) > 2;
        if forgotten || self.has(Flaw::FindsNothing) {
            return Ok(Loaded::Missing);
        }
        if let (true, Some(first)) =
            (self.has(Flaw::ServesTheFirstRecord), self.firsts.lock().unwrap().get(ticket))
        {
            return Ok(Loaded::Found(first.clone()));
        }
        let first = self.firsts.lock().unwrap().get(ticket).map(|first| first.seen);
        if self.has(Flaw::ForgetsUse) && first.is_some_and(|first| now >= first + 30 * 60) {
            return Ok(Loaded::Missing);
        }
        if self.has(Flaw::EndsAllAfterTwoHours) && first.is_some_and(|first| now >= first + 2 * HOUR) {
            return Ok(Loaded::Missing);
        }
        match self.inner.load(ticket.trim_end_matches('~'), now).await? {
            Loaded::Missing | Loaded::Superseded(_) if self.has(Flaw::FailsWhereThereIsNone) => Err(fault()),
            Loaded::Found(record)
                if self.has(Flaw::KeepsHalfAnHourTooLong)
                    && first.is_some_and(|first| now >= first + 11 * HOUR) =>
            {
                let created = first.unwrap_or_default() + HOUR / 2;
                Ok(Loaded::Found(Record { created, ..record }))
            }
            Loaded::Superseded(_) if self.has(Flaw::LeavesNothing) => Ok(Loaded::Missing),
            loaded => Ok(loaded),
        }
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, over } = *write;
        let overlap = self.loads.swap(0, Ordering::SeqCst) > 1;
        let is_lost = match self.flaw {
            Flaw::LosesOneOfTwoThatOverlap => overlap,
            Flaw::LosesSessionsOf(subject) => record.subject.as_deref() == Some(subject),
            _ => false,
        };
        if is_lost {
            return Ok(Written::Saved(Ticket::new(&record.id.to_text())));
        }
        let expires = if self.has(Flaw::KeepsHalfAnHourTooLong) { expires + HOUR / 2 } else { expires };
        let write = &Write { record, expires, over };
        match over {
            Over::Nothing | Over::Dead { .. } => {
                self.firsts.lock().unwrap().insert(record.id.to_text(), record.clone());
            }
            Over::Version(_) if self.has(Flaw::RefusesLargeData) && record.data.len() > 1000 => {
                return Err(StoreError::Failed("too large".into()));
            }
            Over::Renewed(old) if self.has(Flaw::KeepsTheOldId) => {
                let (record, over) = (&Record { id: old.id, ..record.clone() }, Over::Version(old.version));
                return self.inner.save(&Write { record, expires, over }).await;
            }
            Over::Renewed(_) if self.has(Flaw::SendsOldIdsAgain) => {
                return self.inner.save(&Write { record, expires, over: Over::Nothing }).await;
            }
            _ => {}
        }
        match (self.inner.save(write).await?, over) {
            (Written::Saved(ticket), Over::Version(_)) if self.has(Flaw::SendsOldIdsAgain) => {
                Ok(Written::Saved(Ticket::new(&format!("{}~", ticket.text()))))
            }
            (Written::Stale, Over::Version(_)) if self.has(Flaw::BringsBackTheDead) => {
                self.inner.save(&Write { record, expires, over: Over::Nothing }).await
            }
            (Written::Stale, Over::Version(_)) if self.has(Flaw::IgnoresVersions) => {
                self.overwrite(write).await
            }
            (written, _) => Ok(written),
        }
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        if self.has(Flaw::DeletesNothing) { Ok(()) } else { self.inner.delete(ticket).await }
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        self.inner.revoke().map(|_| self as &dyn Revoke)
    }

    /// Only a store on the server has a list.
    fn list(&self) -> Option<&dyn List> {
        (self.inner.list().is_some() || self.has(Flaw::NeedsAServer)).then_some(self)
    }

    fn everyone(&self) -> Option<&dyn Everyone> {
        self.inner.everyone()
    }

    fn locks(&self) -> Option<&dyn Locks> {
        if self.has(Flaw::LetsNobodyWait) { None } else { self.inner.locks() }
    }

    fn service(&self) -> Option<&dyn Service> {
        self.inner.service().map(|_| self as &dyn Service)
    }
}

#[rocket::async_trait]
impl Revoke for Flawed {
    async fn end(&self, id: &IdHash) -> Result<(), StoreError> {
        self.inner.revoke().unwrap().end(id).await
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        if self.has(Flaw::EndsNothing) {
            return Ok(2);
        }
        self.inner.revoke().unwrap().end_all(subject, except, now).await
    }
}

#[rocket::async_trait]
impl List for Flawed {
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        if self.has(Flaw::FailsToList) {
            return Err(fault());
        }
        let mut all = self.inner.list().unwrap().of_subject(subject, now).await?;
        if self.has(Flaw::ListsOnlyOne) {
            all.truncate(1);
        }
        Ok(all)
    }
}

#[rocket::async_trait]
impl Service for Flawed {
    async fn start(&self) -> Result<(), StoreError> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.inner.service().unwrap().start().await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.service().unwrap().sweep(now).await
    }

    async fn stop(&self) {
        self.inner.service().unwrap().stop().await;
    }
}

/// Puts the flaw into every store of a column.
pub fn with(flaw: Flaw) -> impl FnOnce(Column) -> Column {
    move |column| {
        column.with_store(move |inner| {
            Arc::new(Flawed {
                inner,
                flaw,
                starts: AtomicU32::new(0),
                loads: AtomicU32::new(0),
                firsts: Mutex::default(),
            })
        })
    }
}

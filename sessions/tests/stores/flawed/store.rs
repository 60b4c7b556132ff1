//! The flawed store: the `memory` store, changed in one place.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rocket::tokio::task::yield_now;
use rocket::tokio::time::sleep;
use sealed_sessions::store::{
    self, Everyone, Id, IdHash, List, Listed, Loaded, Lock, Locks, Over, Page, Record, Revoke, Service,
    Store, StoreError, UnixSeconds, Write, Written,
};
use sealed_sessions::{Clock, SystemClock};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flaw {
    None,
    LosesLetters,
    CutsNumbers,
    CreateOverwrites,
    CreateRefusesItself,
    UpdateIgnoresTheVersion,
    UpdateResurrects,
    UpdateMovesBack,
    UpdateRefusesItself,
    UpdateInTwoSteps,
    UpdateRefusesACrowd,
    RenewalKeepsTheOld,
    StaleRenewalDeletes,
    RenewalResurrects,
    RenewalDeletesFirst,
    RenewalRefusesItself,
    RenewalInTwoSteps,
    MarkerIsHidden,
    MarkerLosesTheSession,
    MarkerKeepsTheSignedIn,
    SignInLeavesNoMarker,
    AnonymousIsRefused,
    AnonymousIgnoresTheMarker,
    SecondDeleteFails,
    DeleteKnowsNoRenewals,
    DeleteKnowsNoDeadTickets,
    EndKnowsNoRenewals,
    EndsMineToo,
    EndsTheLiveAlone,
    ReadsTheExpired,
    TouchWritesData,
    TouchMovesBack,
    TouchRevives,
    TouchTrustsItsOwnClock,
    MissesTheAnonymousFirst,
    ListsTheExpired,
    GoesThroughTheExpired,
    ForgetsOldHashes,
    KnowsNoSuccessor,
    ChokesOnHostileTickets,
    SweepsTheLiving,
    SweepsByAnyClock,
    LocksNobody,
    StartsAfresh,
}

pub struct Flawed {
    inner: Arc<dyn Store>,
    flaw: Flaw,
    notes: Mutex<Notes>,
    updating: AtomicUsize,
}

/// What the store has been told: the inner one keeps only hashes.
#[derive(Default)]
struct Notes {
    created: HashSet<Id>,
    deleted: HashSet<String>,
    /// Created with a subject.
    with_subject: HashSet<IdHash>,
    /// Renewed sessions as they were.
    renewed: HashMap<IdHash, Record>,
    /// Dead tickets over which somebody has signed in.
    dead: HashSet<String>,
}

impl Flawed {
    pub fn in_memory(flaw: Flaw) -> Arc<dyn Store> {
        let inner = store::open("memory", "__Host-Http-session").unwrap();
        Arc::new(Flawed { inner, flaw, notes: Mutex::default(), updating: AtomicUsize::new(0) })
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    fn is_renewed(&self, id: &IdHash) -> bool {
        self.notes().renewed.contains_key(id)
    }

    /// The session of this id at the time of a write.
    async fn current(&self, id: &Id, record: &Record) -> Option<Record> {
        match self.inner.load(&id.to_text(), record.seen).await {
            Ok(Loaded::Found(found)) => Some(found),
            _ => None,
        }
    }

    async fn create(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.inner.save(&Write { over: Over::Nothing, ..*write }).await
    }

    async fn overwrite(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.inner.delete(&write.record.id.to_text()).await?;
        self.create(write).await
    }

    async fn forget_all(&self) -> Result<(), StoreError> {
        let created = self.notes().created.clone();
        for id in created {
            self.inner.delete(&id.to_text()).await?;
        }
        Ok(())
    }

    async fn save_new(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let record = write.record;
        let repeated = {
            let mut notes = self.notes();
            if record.subject.is_some() {
                notes.with_subject.insert(IdHash::of(&record.id));
            }
            if let Over::Dead { ticket, proven: true } = write.over {
                notes.dead.insert(ticket.to_owned());
            }
            !notes.created.insert(record.id)
        };
        match (self.flaw, write.over) {
            (Flaw::CreateOverwrites, _) => self.overwrite(write).await,
            (Flaw::CreateRefusesItself, _) if repeated => Ok(Written::Stale),
            (Flaw::SignInLeavesNoMarker, Over::Dead { proven: true, .. }) => self.create(write).await,
            (Flaw::AnonymousIsRefused, Over::Dead { proven: false, .. }) => Ok(Written::Stale),
            (Flaw::AnonymousIgnoresTheMarker, Over::Dead { proven: false, .. }) => self.create(write).await,
            _ => self.inner.save(write).await,
        }
    }

    async fn update(&self, write: &Write<'_>, expected: u32) -> Result<Written, StoreError> {
        let current = self.current(&write.record.id, write.record).await;
        let version = current.as_ref().map(|current| current.version);
        match self.flaw {
            Flaw::UpdateIgnoresTheVersion => {
                let Some(version) = version else { return Ok(Written::Stale) };
                self.inner.save(&Write { over: Over::Version(version), ..*write }).await
            }
            Flaw::UpdateResurrects if current.is_none() => self.overwrite(write).await,
            Flaw::UpdateMovesBack if version == Some(expected) => self.overwrite(write).await,
            Flaw::UpdateRefusesItself if version != Some(expected) => Ok(Written::Stale),
            Flaw::UpdateInTwoSteps => {
                if version != Some(expected) {
                    return Ok(Written::Stale);
                }
                self.inner.delete(&write.record.id.to_text()).await?;
                sleep(Duration::from_millis(1)).await;
                self.create(write).await
            }
            Flaw::UpdateRefusesACrowd => {
                let alone = self.updating.fetch_add(1, Ordering::SeqCst) == 0;
                sleep(Duration::from_millis(1)).await;
                self.updating.fetch_sub(1, Ordering::SeqCst);
                if alone { self.inner.save(write).await } else { Ok(Written::Stale) }
            }
            _ => self.inner.save(write).await,
        }
    }

    async fn renew(&self, write: &Write<'_>, old: &Record) -> Result<Written, StoreError> {
        let (hash, ticket) = (IdHash::of(&old.id), old.id.to_text());
        match self.flaw {
            Flaw::RenewalKeepsTheOld => self.create(write).await,
            Flaw::RenewalRefusesItself if self.is_renewed(&hash) => Ok(Written::Stale),
            Flaw::RenewalDeletesFirst => {
                self.inner.delete(&ticket).await?;
                self.create(write).await
            }
            Flaw::RenewalInTwoSteps => {
                yield_now().await;
                let written = self.create(write).await?;
                self.inner.delete(&ticket).await?;
                Ok(written)
            }
            _ => match self.inner.save(write).await? {
                Written::Stale if self.is(Flaw::StaleRenewalDeletes) => {
                    self.inner.delete(&ticket).await?;
                    Ok(Written::Stale)
                }
                Written::Stale if self.is(Flaw::RenewalResurrects) => {
                    let current = self.current(&old.id, write.record).await;
                    if current.is_none() { self.create(write).await } else { Ok(Written::Stale) }
                }
                written => {
                    self.notes().renewed.insert(hash, old.clone());
                    Ok(written)
                }
            },
        }
    }

    async fn touch(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let record = write.record;
        if self.is(Flaw::TouchWritesData) {
            return self.overwrite(write).await;
        }
        if self.is(Flaw::TouchTrustsItsOwnClock) && record.seen > SystemClock.seconds() + 60 {
            return Ok(Written::Stale);
        }
        if self.is(Flaw::TouchMovesBack)
            && let Some(current) = self.current(&record.id, record).await
        {
            let record = Record { seen: record.seen, ..current };
            return self.overwrite(&Write { record: &record, ..*write }).await;
        }
        match self.inner.save(write).await? {
            Written::Stale if self.is(Flaw::TouchRevives) => self.overwrite(write).await,
            written => Ok(written),
        }
    }
}

#[rocket::async_trait]
impl Store for Flawed {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        if self.is(Flaw::ChokesOnHostileTickets) && ticket.contains('\'') {
            return Err(StoreError::Failed("syntax error".into()));
        }
        let now = if self.is(Flaw::ReadsTheExpired) { 0 } else { now };
        Ok(match self.inner.load(ticket, now).await? {
            Loaded::Superseded(_) if self.is(Flaw::MarkerIsHidden) => Loaded::Missing,
            Loaded::Superseded(_) if self.is(Flaw::MarkerLosesTheSession) => Loaded::Superseded(None),
            Loaded::Superseded(_) if self.is(Flaw::MarkerKeepsTheSignedIn) => {
                let old = IdHash::of_ticket(ticket).and_then(|id| self.notes().renewed.get(&id).cloned());
                Loaded::Superseded(old.map(Box::new))
            }
            Loaded::Found(record) if self.is(Flaw::LosesLetters) => Loaded::Found(Record {
                data: record.data.replace(|letter: char| !letter.is_ascii(), "?"),
                ..record
            }),
            Loaded::Found(record) if self.is(Flaw::CutsNumbers) => Loaded::Found(Record {
                version: record.version & 0xffff,
                signed_in: record.signed_in.map(|at| at & 0xffff),
                ..record
            }),
            other => other,
        })
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        match write.over {
            Over::Nothing | Over::Dead { .. } => self.save_new(write).await,
            Over::Version(expected) => self.update(write, expected).await,
            Over::Renewed(old) => self.renew(write, old).await,
            Over::Touch => self.touch(write).await,
        }
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        let second = !self.notes().deleted.insert(ticket.to_owned());
        if self.is(Flaw::SecondDeleteFails) && second {
            return Err(StoreError::Failed("there is none".into()));
        }
        let renewed = IdHash::of_ticket(ticket).is_some_and(|id| self.is_renewed(&id));
        if self.is(Flaw::DeleteKnowsNoRenewals) && renewed {
            return Ok(());
        }
        if self.is(Flaw::DeleteKnowsNoDeadTickets) && self.notes().dead.contains(ticket) {
            return Ok(());
        }
        self.inner.delete(ticket).await
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        Some(self)
    }

    fn list(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn everyone(&self) -> Option<&dyn Everyone> {
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
impl Revoke for Flawed {
    async fn end(&self, id: &IdHash) -> Result<(), StoreError> {
        if self.is(Flaw::EndKnowsNoRenewals) && self.is_renewed(id) {
            return Ok(());
        }
        self.inner.revoke().unwrap().end(id).await
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let except = except.filter(|_| !self.is(Flaw::EndsMineToo));
        let live = self.inner.list().unwrap().of_subject(subject, now).await?;
        if self.is(Flaw::EndsTheLiveAlone) && live.is_empty() {
            return Ok(0);
        }
        self.inner.revoke().unwrap().end_all(subject, except, now).await
    }
}

#[rocket::async_trait]
impl List for Flawed {
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let now = if self.is(Flaw::ListsTheExpired) { 0 } else { now };
        let mut listed = self.inner.list().unwrap().of_subject(subject, now).await?;
        if self.is(Flaw::MissesTheAnonymousFirst) {
            let notes = self.notes();
            listed.retain(|listed| notes.with_subject.contains(&listed.id));
        }
        Ok(listed)
    }

    async fn successor(&self, ticket: &str, now: UnixSeconds) -> Result<Option<IdHash>, StoreError> {
        if self.is(Flaw::KnowsNoSuccessor) {
            return Ok(None);
        }
        self.inner.list().unwrap().successor(ticket, now).await
    }
}

#[rocket::async_trait]
impl Everyone for Flawed {
    async fn page(&self, from: &[u8], now: UnixSeconds) -> Result<Page, StoreError> {
        let now = if self.is(Flaw::GoesThroughTheExpired) { 0 } else { now };
        let mut page = self.inner.everyone().unwrap().page(from, now).await?;
        if self.is(Flaw::ForgetsOldHashes) {
            page.renewed.clear();
        }
        Ok(page)
    }
}

#[rocket::async_trait]
impl Locks for Flawed {
    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        if self.is(Flaw::LocksNobody) {
            return Ok(Lock::new(()));
        }
        self.inner.locks().unwrap().lock(ticket).await
    }
}

#[rocket::async_trait]
impl Service for Flawed {
    async fn start(&self) -> Result<(), StoreError> {
        if self.is(Flaw::StartsAfresh) { self.forget_all().await } else { Ok(()) }
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let is_ahead = now > SystemClock.seconds() + 60;
        if self.is(Flaw::SweepsTheLiving) || (self.is(Flaw::SweepsByAnyClock) && is_ahead) {
            self.forget_all().await?;
        }
        self.inner.service().unwrap().sweep(now).await
    }

    async fn stop(&self) {}
}

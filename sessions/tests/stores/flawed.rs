//! A store that breaks the contract in one place at a time: each clause must notice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rocket::tokio::task::yield_now;
use rocket::tokio::time::sleep;
use sealed_sessions::store::{
    self, Capabilities, Id, IdHash, Listed, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};
use sealed_sessions::{Clock, SystemClock, conformance};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    LosesLetters,
    CutsNumbers,
    CreateOverwrites,
    UpdateIgnoresTheVersion,
    UpdateResurrects,
    UpdateInTwoSteps,
    UpdateRefusesACrowd,
    RotateKeepsTheOld,
    RotateLosesOnConflict,
    RotateResurrects,
    RotateDeletesFirst,
    RotateLeavesNoMarker,
    RotateInTwoSteps,
    DeleteKnowsNoRenewals,
    SecondDeleteFails,
    ReadsTheExpired,
    TouchWritesData,
    TouchGoesBack,
    TouchRevives,
    TouchTrustsItsOwnClock,
    MissesTheAnonymousFirst,
    ListsTheExpired,
    EndsMineToo,
    GivesAnEmptyList,
    ChokesOnHostileIds,
    SweepsTheLiving,
    LocksNobody,
    StartsAfresh,
}

/// Each clause, and a flaw that it must notice.
const NOTICED_BY: &[(&str, Flaw)] = &[
    ("what was created is loaded, byte for byte", Flaw::CutsNumbers),
    ("create never overwrites", Flaw::CreateOverwrites),
    ("update replaces, and reports a conflict when the version moved", Flaw::UpdateIgnoresTheVersion),
    ("update never resurrects", Flaw::UpdateResurrects),
    ("rotate moves a session to its new id in one step", Flaw::RotateKeepsTheOld),
    ("rotate meets a conflict and loses nothing", Flaw::RotateLosesOnConflict),
    ("rotate never resurrects", Flaw::RotateResurrects),
    ("a rotate to an id that is taken loses nothing", Flaw::RotateDeletesFirst),
    ("an old id is superseded for a minute, then gone", Flaw::RotateLeavesNoMarker),
    ("delete is idempotent", Flaw::SecondDeleteFails),
    ("the end of a renewed session ends what it became", Flaw::DeleteKnowsNoRenewals),
    ("expiry is checked on every read, also before any cleanup", Flaw::ReadsTheExpired),
    ("touch moves seen and the end, and nothing else", Flaw::TouchWritesData),
    ("a late touch moves nothing back", Flaw::TouchGoesBack),
    ("touch cannot revive", Flaw::TouchRevives),
    (
        "a session is listed under its subject, also when it was anonymous first",
        Flaw::MissesTheAnonymousFirst,
    ),
    ("what has ended is not listed", Flaw::ListsTheExpired),
    ("all sessions of a subject but one can be ended", Flaw::EndsMineToo),
    ("a store that cannot list says so", Flaw::GivesAnEmptyList),
    ("unknown, hostile and oversized ids are nothing", Flaw::ChokesOnHostileIds),
    ("records of no byte, of 1 MB and of any letters are kept", Flaw::LosesLetters),
    ("the ends of numbers are kept", Flaw::CutsNumbers),
    ("64 tasks on one session: each write counts once", Flaw::UpdateInTwoSteps),
    ("64 tasks on 64 sessions do not meet", Flaw::UpdateRefusesACrowd),
    ("two renewals of one session: one counts", Flaw::RotateInTwoSteps),
    ("a logout and a renewal at once end in no session", Flaw::RotateResurrects),
    ("who ends all sessions of a subject misses none that is being renewed", Flaw::RotateResurrects),
    ("a clock that jumps loses no live session", Flaw::TouchTrustsItsOwnClock),
    ("sweeping takes what has expired and nothing else", Flaw::SweepsTheLiving),
    ("a write that is given up half way is done whole or not at all", Flaw::UpdateInTwoSteps),
    ("a lock keeps others out, and only of its session", Flaw::LocksNobody),
    ("a store can be started again", Flaw::StartsAfresh),
];

#[rocket::async_test]
async fn every_clause_notices_a_store_that_breaks_it() {
    for clause in conformance::CLAUSES {
        let flaw = NOTICED_BY.iter().find(|(name, _)| *name == clause.name).map(|(_, flaw)| *flaw);
        let flaw = flaw.unwrap_or_else(|| panic!("no flaw for {clause:?}"));
        let outcome = clause.check(&Flawed::in_memory(flaw)).await;
        assert!(outcome.is_err(), "{clause:?} does not notice {flaw:?}");
    }
}

struct Flawed {
    inner: Arc<dyn Store>,
    flaw: Flaw,
    created: Mutex<Vec<IdHash>>,
    with_subject: Mutex<Vec<IdHash>>,
    renewed: Mutex<Vec<IdHash>>,
    updating: AtomicUsize,
}

impl Flawed {
    fn in_memory(flaw: Flaw) -> Arc<dyn Store> {
        let inner = store::open("memory", "__Host-session").unwrap();
        Arc::new(Flawed {
            inner,
            flaw,
            created: Mutex::default(),
            with_subject: Mutex::default(),
            renewed: Mutex::default(),
            updating: AtomicUsize::new(0),
        })
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    async fn current(&self, record: &Record) -> Option<Record> {
        match self.inner.load(&record.id.to_text(), record.seen).await {
            Ok(Loaded::Found(found)) => Some(found),
            _ => None,
        }
    }

    async fn overwrite(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.inner.delete(&IdHash::of(&record.id)).await?;
        self.inner.create(record, until).await
    }

    async fn forget_all(&self) -> Result<(), StoreError> {
        let created = self.created.lock().unwrap().clone();
        for id in created {
            self.inner.delete(&id).await?;
        }
        Ok(())
    }
}

#[rocket::async_trait]
impl Store for Flawed {
    fn capabilities(&self) -> Capabilities {
        Capabilities { lists: !self.is(Flaw::GivesAnEmptyList), ..self.inner.capabilities() }
    }

    async fn start(&self) -> Result<(), StoreError> {
        if self.is(Flaw::StartsAfresh) { self.forget_all().await } else { Ok(()) }
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        if self.is(Flaw::ChokesOnHostileIds) && ticket.contains('\'') {
            return Err(StoreError::Failed("syntax error".into()));
        }
        let now = if self.is(Flaw::ReadsTheExpired) { 0 } else { now };
        Ok(match self.inner.load(ticket, now).await? {
            Loaded::Superseded if self.is(Flaw::RotateLeavesNoMarker) => Loaded::Missing,
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

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        self.created.lock().unwrap().push(id);
        if record.subject.is_some() {
            self.with_subject.lock().unwrap().push(id);
        }
        match self.is(Flaw::CreateOverwrites) {
            true => self.overwrite(record, until).await,
            false => self.inner.create(record, until).await,
        }
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        match self.flaw {
            Flaw::UpdateIgnoresTheVersion => match self.current(record).await {
                Some(current) => self.inner.update(record, current.version, until).await,
                None => Ok(Written::Gone),
            },
            Flaw::UpdateResurrects => match self.inner.update(record, expected, until).await? {
                Written::Gone => self.overwrite(record, until).await,
                written => Ok(written),
            },
            Flaw::UpdateInTwoSteps => {
                let Some(current) = self.current(record).await else { return Ok(Written::Gone) };
                if current.version != expected {
                    return Ok(Written::Conflict);
                }
                self.inner.delete(&IdHash::of(&record.id)).await?;
                sleep(Duration::from_millis(1)).await;
                self.inner.create(record, until).await
            }
            Flaw::UpdateRefusesACrowd => {
                let alone = self.updating.fetch_add(1, Ordering::SeqCst) == 0;
                sleep(Duration::from_millis(1)).await;
                self.updating.fetch_sub(1, Ordering::SeqCst);
                match alone {
                    true => self.inner.update(record, expected, until).await,
                    false => Ok(Written::Gone),
                }
            }
            _ => self.inner.update(record, expected, until).await,
        }
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let hash = IdHash::of(old);
        match self.flaw {
            Flaw::RotateKeepsTheOld => self.inner.create(record, until).await,
            Flaw::RotateDeletesFirst => {
                self.inner.delete(&hash).await?;
                self.inner.create(record, until).await
            }
            Flaw::RotateInTwoSteps => {
                yield_now().await;
                let written = self.inner.create(record, until).await?;
                self.inner.delete(&hash).await?;
                Ok(written)
            }
            _ => match self.inner.renew(old, record, expected, until).await? {
                Written::Conflict if self.is(Flaw::RotateLosesOnConflict) => {
                    self.inner.delete(&hash).await?;
                    Ok(Written::Conflict)
                }
                Written::Gone if self.is(Flaw::RotateResurrects) => self.inner.create(record, until).await,
                written => {
                    self.renewed.lock().unwrap().push(hash);
                    Ok(written)
                }
            },
        }
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        if self.is(Flaw::TouchWritesData) {
            return self.overwrite(record, until).await;
        }
        if self.is(Flaw::TouchTrustsItsOwnClock) && record.seen > SystemClock.seconds() + 60 {
            return Ok(Written::Gone);
        }
        if self.is(Flaw::TouchGoesBack)
            && let Some(current) = self.current(record).await
        {
            let version = current.version;
            return self.inner.update(&Record { seen: record.seen, ..current }, version, until).await;
        }
        match self.inner.touch(record, until).await? {
            Written::Gone if self.is(Flaw::TouchRevives) => self.overwrite(record, until).await,
            written => Ok(written),
        }
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        let unknown = !self.created.lock().unwrap().contains(id);
        if self.is(Flaw::SecondDeleteFails) && unknown {
            return Err(StoreError::Failed("there is none".into()));
        }
        if self.is(Flaw::DeleteKnowsNoRenewals) && self.renewed.lock().unwrap().contains(id) {
            return Ok(());
        }
        self.inner.delete(id).await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        if self.is(Flaw::GivesAnEmptyList) {
            return Ok(Vec::new());
        }
        let now = if self.is(Flaw::ListsTheExpired) { 0 } else { now };
        let mut listed = self.inner.by_subject(subject, now).await?;
        if self.is(Flaw::MissesTheAnonymousFirst) {
            let with_subject = self.with_subject.lock().unwrap();
            listed.retain(|listed| with_subject.contains(&listed.id));
        }
        Ok(listed)
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let except = except.filter(|_| !self.is(Flaw::EndsMineToo));
        self.inner.end_all(subject, except, now).await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        if self.is(Flaw::SweepsTheLiving) {
            self.forget_all().await?;
        }
        self.inner.sweep(now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        if self.is(Flaw::LocksNobody) { Ok(Lock::new(())) } else { self.inner.lock(ticket).await }
    }
}

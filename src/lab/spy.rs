//! Looks on while a store works, notes what it does for which request, and can take it away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::tokio::task_local;
use sealed_sessions::{
    Capabilities, Id, IdHash, Listed, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};

/// What a request has moved in its store.
#[derive(Default)]
pub(super) struct Moves {
    pub(super) before: Option<Record>,
    pub(super) after: After,
}

#[derive(Default)]
pub(super) enum After {
    #[default]
    Unchanged,
    Written(Record),
    Ended,
}

/// The notes of one request. Requests that overlap run in one task and have one each.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Moves>>);

task_local! {
    static NOTES: Notes;
}

impl Notes {
    pub(super) async fn during<F: Future>(&self, work: F) -> F::Output {
        NOTES.scope(self.clone(), work).await
    }

    pub(super) fn take(&self) -> Moves {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Moves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(write: impl FnOnce(&mut Moves)) {
    // Outside of a request nobody asks.
    let _ = NOTES.try_with(|notes| write(&mut notes.lock()));
}

/// A store that is watched. While `down` is set, its server does not answer; a store without a server
/// has none that could fail.
pub(super) struct Spy {
    pub(super) store: Arc<dyn Store>,
    pub(super) down: Arc<AtomicBool>,
}

impl Spy {
    fn reach(&self) -> Result<(), StoreError> {
        match self.down.load(Ordering::SeqCst) && self.store.capabilities().server_side {
            true => Err(StoreError::Failed("the experiment has taken it away".into())),
            false => Ok(()),
        }
    }
}

fn wrote(written: Result<Written, StoreError>, record: &Record) -> Result<Written, StoreError> {
    if let Ok(Written::Saved(_)) = written {
        note(|moves| moves.after = After::Written(record.clone()));
    }
    written
}

#[rocket::async_trait]
impl Store for Spy {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.reach()?;
        self.store.start().await
    }

    async fn stop(&self) {
        self.store.stop().await;
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.reach()?;
        let loaded = self.store.load(ticket, now).await?;
        if let Loaded::Found(record) = &loaded {
            note(|moves| moves.before = Some(record.clone()));
        }
        Ok(loaded)
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.reach()?;
        wrote(self.store.create(record, until).await, record)
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.reach()?;
        wrote(self.store.update(record, expected, until).await, record)
    }

    async fn rotate(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.reach()?;
        wrote(self.store.rotate(old, record, expected, until).await, record)
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.reach()?;
        wrote(self.store.touch(record, until).await, record)
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.reach()?;
        self.store.delete(id).await?;
        note(|moves| moves.after = After::Ended);
        Ok(())
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        self.reach()?;
        self.store.by_subject(subject, now).await
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        self.reach()?;
        self.store.end_all(subject, except, now).await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.reach()?;
        self.store.sweep(now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.reach()?;
        self.store.lock(ticket).await
    }
}

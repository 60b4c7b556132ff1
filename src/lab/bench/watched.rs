//! A store that is watched: every operation is announced to an observer, and so is what it did.

use std::sync::Arc;

use sealed_sessions::store::{
    Capabilities, Id, IdHash, Listed, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};

/// An operation of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Operation {
    Start,
    Load,
    Create,
    Update,
    Rotate,
    Touch,
    Delete,
    /// Lists or ends the sessions of a subject.
    List,
    Lock,
    Sweep,
}

/// What an operation did to a session.
pub(in crate::lab) enum Effect<'e> {
    Loaded(&'e Record),
    Written(&'e Record),
    Deleted,
}

/// Watches a store.
pub(in crate::lab) trait Observer: Send + Sync + 'static {
    /// Called before each operation: it may delay it, or fail it with an error of its own.
    fn before(&self, operation: Operation) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Called after an operation that succeeded.
    fn after(&self, _effect: Effect<'_>) {}
}

/// A store with its observer.
pub(in crate::lab) struct Watched<O> {
    store: Arc<dyn Store>,
    observer: O,
}

impl<O: Observer> Watched<O> {
    pub(in crate::lab) fn new(store: Arc<dyn Store>, observer: O) -> Watched<O> {
        Watched { store, observer }
    }

    fn wrote(&self, written: Written, record: &Record) -> Written {
        if let Written::Saved(_) = written {
            self.observer.after(Effect::Written(record));
        }
        written
    }
}

#[rocket::async_trait]
impl<O: Observer> Store for Watched<O> {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.observer.before(Operation::Start).await?;
        self.store.start().await
    }

    async fn stop(&self) {
        self.store.stop().await;
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.observer.before(Operation::Load).await?;
        let loaded = self.store.load(ticket, now).await?;
        if let Loaded::Found(record) = &loaded {
            self.observer.after(Effect::Loaded(record));
        }
        Ok(loaded)
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.observer.before(Operation::Create).await?;
        Ok(self.wrote(self.store.create(record, until).await?, record))
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.observer.before(Operation::Update).await?;
        Ok(self.wrote(self.store.update(record, expected, until).await?, record))
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.observer.before(Operation::Rotate).await?;
        Ok(self.wrote(self.store.renew(old, record, expected, until).await?, record))
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.observer.before(Operation::Touch).await?;
        Ok(self.wrote(self.store.touch(record, until).await?, record))
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.observer.before(Operation::Delete).await?;
        self.store.delete(id).await?;
        self.observer.after(Effect::Deleted);
        Ok(())
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        self.observer.before(Operation::List).await?;
        self.store.by_subject(subject, now).await
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        self.observer.before(Operation::List).await?;
        self.store.end_all(subject, except, now).await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.observer.before(Operation::Sweep).await?;
        self.store.sweep(now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.observer.before(Operation::Lock).await?;
        self.store.lock(ticket).await
    }
}

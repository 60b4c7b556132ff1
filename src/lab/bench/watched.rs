//! A store that is watched: every operation is announced to an observer, and so is what it did.

use std::sync::Arc;

use sealed_sessions::store::{
    Everyone, List, Loaded, Locks, Over, Record, Revoke, Service, Store, StoreError, UnixSeconds, Write,
    Written,
};

/// An operation that requests wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lab) enum Operation {
    Load,
    Create,
    Update,
    Renew,
    Touch,
    Delete,
}

impl Operation {
    /// In the order of their numbers.
    pub(in crate::lab) const ALL: [Operation; 6] = [
        Operation::Load,
        Operation::Create,
        Operation::Update,
        Operation::Renew,
        Operation::Touch,
        Operation::Delete,
    ];

    fn of(write: &Write<'_>) -> Operation {
        match write.over {
            Over::Nothing | Over::Dead { .. } => Operation::Create,
            Over::Version(_) => Operation::Update,
            Over::Renewed(_) => Operation::Renew,
            Over::Touch => Operation::Touch,
        }
    }

    /// As pages and reports show it.
    pub(in crate::lab) fn name(self) -> &'static str {
        match self {
            Operation::Load => "load",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Renew => "renew",
            Operation::Touch => "touch",
            Operation::Delete => "delete",
        }
    }
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

    /// Called after an operation of the store that failed.
    fn failed(&self, _error: &StoreError) {}

    /// Called after an operation that succeeded.
    fn after(&self, _effect: Effect<'_>) {}
}

/// A store with its observer. What it can do beyond the three verbs is not watched.
pub(in crate::lab) struct Watched<O> {
    store: Arc<dyn Store>,
    observer: O,
}

impl<O: Observer> Watched<O> {
    pub(in crate::lab) fn new(store: Arc<dyn Store>, observer: O) -> Watched<O> {
        Watched { store, observer }
    }
}

#[rocket::async_trait]
impl<O: Observer> Store for Watched<O> {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.observer.before(Operation::Load).await?;
        let loaded = self.store.load(ticket, now).await.inspect_err(|error| self.observer.failed(error))?;
        if let Loaded::Found(record) = &loaded {
            self.observer.after(Effect::Loaded(record));
        }
        Ok(loaded)
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.observer.before(Operation::of(write)).await?;
        let written = self.store.save(write).await.inspect_err(|error| self.observer.failed(error))?;
        if let Written::Saved(_) = written {
            self.observer.after(Effect::Written(write.record));
        }
        Ok(written)
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.observer.before(Operation::Delete).await?;
        self.store.delete(ticket).await.inspect_err(|error| self.observer.failed(error))?;
        self.observer.after(Effect::Deleted);
        Ok(())
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        self.store.revoke()
    }

    fn list(&self) -> Option<&dyn List> {
        self.store.list()
    }

    fn everyone(&self) -> Option<&dyn Everyone> {
        self.store.everyone()
    }

    fn locks(&self) -> Option<&dyn Locks> {
        self.store.locks()
    }

    fn service(&self) -> Option<&dyn Service> {
        self.store.service()
    }
}

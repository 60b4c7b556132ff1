//! The steps of a backend, tried once more where a lost connection leaves it open whether they were done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::backend::{Backend, Row, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// A backend whose connection may be lost at any moment. Every step can be repeated without harm: what a repeated
/// one finds done already, [`ServerStore`](super::ServerStore) recognises as its own.
#[derive(Clone)]
pub(super) struct Steps {
    backend: Arc<dyn Backend>,
    /// Another app keeps its sessions under this namespace.
    is_foreign: Arc<AtomicBool>,
}

impl Steps {
    pub(super) fn new(backend: impl Backend) -> Steps {
        Steps { backend: Arc::new(backend), is_foreign: Arc::default() }
    }

    /// The backend itself, to be started, stopped and asked for what it can do.
    pub(super) fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// Refuses every step from now on, or none.
    pub(super) fn set_foreign(&self, is_foreign: bool) {
        self.is_foreign.store(is_foreign, Ordering::Relaxed);
    }

    fn own(&self) -> Result<&dyn Backend, StoreError> {
        if self.is_foreign.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("another app keeps its sessions under this namespace".into()));
        }
        Ok(&*self.backend)
    }

    pub(super) async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        let backend = self.own()?;
        match backend.get(id).await {
            Err(StoreError::Disconnected(_)) => backend.get(id).await,
            answer => answer,
        }
    }

    pub(super) async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        let backend = self.own()?;
        match backend.insert(id, row).await {
            Err(StoreError::Disconnected(_)) => backend.insert(id, row).await,
            answer => answer,
        }
    }

    pub(super) async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let backend = self.own()?;
        match backend.replace(id, expected, row).await {
            Err(StoreError::Disconnected(_)) => backend.replace(id, expected, row).await,
            answer => answer,
        }
    }

    pub(super) async fn touch(
        &self,
        id: &IdHash,
        seen: UnixSeconds,
        expires: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let backend = self.own()?;
        match backend.touch(id, seen, expires).await {
            Err(StoreError::Disconnected(_)) => backend.touch(id, seen, expires).await,
            answer => answer,
        }
    }

    pub(super) async fn remove(&self, id: &IdHash, expected: u32) -> Result<bool, StoreError> {
        let backend = self.own()?;
        match backend.remove(id, expected).await {
            Err(StoreError::Disconnected(_)) => backend.remove(id, expected).await,
            answer => answer,
        }
    }

    pub(super) async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let backend = self.own()?;
        match backend.of_subject(subject).await {
            Err(StoreError::Disconnected(_)) => backend.of_subject(subject).await,
            answer => answer,
        }
    }

    pub(super) async fn trim(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        self.own()?.trim(subject, max).await
    }

    pub(super) async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.own()?.sweep(now).await
    }
}

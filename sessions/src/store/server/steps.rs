//! The steps of a backend, tried once more where a lost connection leaves it open whether they were done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::futures::future::BoxFuture;

use super::backend::Backend;
use crate::error::StoreError;

/// A backend whose connection may be lost at any moment.
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

    /// Takes a step, and once more if its answer is lost. That does no harm: what the second finds done already,
    /// [`ServerStore`](super::ServerStore) recognises as its own.
    pub(super) async fn take<'s, V>(
        &'s self,
        step: impl Fn(&'s dyn Backend) -> BoxFuture<'s, Result<V, StoreError>> + Send,
    ) -> Result<V, StoreError> {
        if self.is_foreign.load(Ordering::Relaxed) {
            return Err(StoreError::Failed("another app keeps its sessions under this namespace".into()));
        }
        twice(|| step(&*self.backend)).await
    }
}

/// Takes a step, and once more if its answer is lost.
pub(super) async fn twice<V, F>(step: impl Fn() -> F) -> Result<V, StoreError>
where
    F: Future<Output = Result<V, StoreError>>,
{
    match step().await {
        Err(StoreError::Disconnected(_)) => step().await,
        answer => answer,
    }
}

//! A store that a request never waits for too long.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rocket::tokio::time::timeout;

use super::{Capabilities, Loaded, Lock, Store, StoreError, Written};
use crate::clock::UnixSeconds;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// How long a store may take to start, to sweep one batch, or to stop.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// A store whose every call is bounded, so that no caller can forget the bound.
#[derive(Clone)]
pub(crate) struct BoundedStore {
    store: Arc<dyn Store>,
    timeout: Duration,
    lock_timeout: Duration,
}

impl BoundedStore {
    pub(crate) fn new(store: Arc<dyn Store>, timeout: Duration, lock_timeout: Duration) -> BoundedStore {
        BoundedStore { store, timeout, lock_timeout }
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    pub(crate) async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        within(self.timeout, self.store.load(ticket, now)).await
    }

    pub(crate) async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        within(self.timeout, self.store.create(record, expires)).await
    }

    pub(crate) async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        within(self.timeout, self.store.update(record, expected, expires)).await
    }

    pub(crate) async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        within(self.timeout, self.store.renew(old, record, expected, expires)).await
    }

    pub(crate) async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        within(self.timeout, self.store.touch(record, expires)).await
    }

    pub(crate) async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        within(self.timeout, self.store.delete(id)).await
    }

    /// Waits for the session's lock; `None` where the store has no locks.
    pub(crate) async fn lock(&self, ticket: &str) -> Result<Option<Lock>, StoreError> {
        if !self.store.capabilities().locks {
            return Ok(None);
        }
        within(self.lock_timeout, self.store.lock(ticket)).await.map(Some)
    }

    pub(crate) async fn start(&self) -> Result<(), StoreError> {
        within(SERVICE_TIMEOUT, self.store.start()).await
    }

    pub(crate) async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        within(SERVICE_TIMEOUT, self.store.sweep(now)).await
    }

    pub(crate) async fn stop(&self) {
        let _ = timeout(SERVICE_TIMEOUT, self.store.stop()).await;
    }
}

/// Waits for an answer, but no longer than `limit`. One that is there at once needs no timer.
async fn within<V>(
    limit: Duration,
    mut answer: impl Future<Output = Result<V, StoreError>> + Unpin,
) -> Result<V, StoreError> {
    match poll_fn(|context| Poll::Ready(Pin::new(&mut answer).poll(context))).await {
        Poll::Ready(answer) => answer,
        Poll::Pending => timeout(limit, answer).await.unwrap_or(Err(StoreError::TimedOut)),
    }
}

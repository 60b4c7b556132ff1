//! A ledger's log that can be taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sealed_sessions::ledger::{Line, Log, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};

/// A log that does not answer while `down` is set.
pub(super) struct Outage {
    pub(super) log: Arc<dyn Log>,
    pub(super) down: Arc<AtomicBool>,
}

impl Outage {
    fn there(&self) -> Result<&dyn Log, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the experiment has taken it away".into()));
        }
        Ok(&*self.log)
    }
}

#[rocket::async_trait]
impl Log for Outage {
    async fn start(&self) -> Result<(), StoreError> {
        self.there()?.start().await
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        self.there()?.read(from, limit).await
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.there()?.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        self.there()?.append(line).await
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.there()?.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.there()?.forget(now).await
    }

    async fn stop(&self) {
        self.log.stop().await;
    }
}

//! A log that nobody waits for too long.

use std::sync::Arc;
use std::time::Duration;

use rocket::futures::stream::BoxStream;
use rocket::tokio::time::timeout;

use super::entry::Line;
use super::log::{Log, Page};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::events::{Call, Teller};

/// A log whose every call is bounded.
pub(super) struct BoundedLog {
    log: Arc<dyn Log>,
    timeout: Duration,
    teller: Teller,
}

impl BoundedLog {
    pub(super) fn new(log: Arc<dyn Log>, timeout: Duration, teller: Teller) -> BoundedLog {
        BoundedLog { log, timeout, teller }
    }

    pub(super) async fn start(&self) -> Result<(), StoreError> {
        self.within(self.log.start()).await
    }

    pub(super) async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let begun = self.teller.begin();
        let page = self.within(self.log.read(from, limit)).await;
        self.teller.called(Call::LedgerRead, begun);
        page
    }

    pub(super) async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.within(self.log.claim(expected, claim)).await
    }

    /// A line that is appended twice does no harm, so one whose answer was lost is appended again.
    pub(super) async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        let begun = self.teller.begin();
        let mut answer = self.within(self.log.append(line)).await;
        if let Err(StoreError::Disconnected(_)) = answer {
            answer = self.within(self.log.append(line)).await;
        }
        self.teller.called(Call::LedgerAppend, begun);
        answer
    }

    pub(super) async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.within(self.log.put(lines)).await
    }

    pub(super) async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.within(self.log.forget(now)).await
    }

    pub(super) fn has_hints(&self) -> bool {
        self.log.hints().is_some()
    }

    pub(super) async fn send(&self, position: u64) -> Result<(), StoreError> {
        let Some(hints) = self.log.hints() else { return Ok(()) };
        self.within(hints.send(position)).await
    }

    /// `None` if the log has no hints.
    pub(super) async fn listen(&self) -> Option<Result<BoxStream<'static, u64>, StoreError>> {
        Some(self.within(self.log.hints()?.listen()).await)
    }

    pub(super) async fn stop(&self) {
        let _ = timeout(self.timeout, self.log.stop()).await;
    }

    async fn within<V>(
        &self,
        answer: impl Future<Output = Result<V, StoreError>> + Send,
    ) -> Result<V, StoreError> {
        timeout(self.timeout, answer).await.unwrap_or(Err(StoreError::TimedOut))
    }
}

//! Counts what is asked of a store and of a ledger, and has it answer later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rocket::tokio::time::sleep;
use sealed_sessions::ledger::{Line, Log, Page};
use sealed_sessions::store::{Store, StoreError, UnixSeconds};

use crate::lab::bench::{Observer, Operation};

/// How often each operation was asked for.
#[derive(Default)]
pub(super) struct Counts {
    store: [AtomicU64; Operation::ALL.len()],
    ledger_reads: AtomicU64,
    ledger_appends: AtomicU64,
}

impl Counts {
    pub(super) fn by_name(&self) -> BTreeMap<String, u64> {
        let of_store = Operation::ALL.iter().zip(&self.store).map(|(one, count)| (one.name(), count));
        let of_ledger = [("ledger append", &self.ledger_appends), ("ledger read", &self.ledger_reads)];
        let all = of_store.chain(of_ledger);
        all.map(|(name, count)| (name.to_owned(), count.load(Ordering::Relaxed))).collect()
    }
}

/// Counts operations, and delays each by the round trip to a store on a network. A store that keeps nothing
/// on a server has no network in between, and is not delayed.
pub(super) struct Counter {
    counts: Arc<Counts>,
    delay: Duration,
}

impl Counter {
    pub(super) fn new(store: &dyn Store, counts: Arc<Counts>, delay: Duration) -> Counter {
        let delay = if store.list().is_some() { delay } else { Duration::ZERO };
        Counter { counts, delay }
    }
}

impl Observer for Counter {
    async fn before(&self, operation: Operation) -> Result<(), StoreError> {
        count(&self.counts.store[operation as usize], self.delay).await;
        Ok(())
    }
}

/// A ledger's log that counts what is read and appended, and delays it likewise.
pub(super) struct CountedLog {
    pub(super) log: Arc<dyn Log>,
    pub(super) counts: Arc<Counts>,
    pub(super) delay: Duration,
}

#[rocket::async_trait]
impl Log for CountedLog {
    async fn start(&self) -> Result<(), StoreError> {
        self.log.start().await
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        count(&self.counts.ledger_reads, self.delay).await;
        self.log.read(from, limit).await
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.log.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        count(&self.counts.ledger_appends, self.delay).await;
        self.log.append(line).await
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.log.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.log.forget(now).await
    }

    async fn stop(&self) {
        self.log.stop().await;
    }
}

async fn count(counter: &AtomicU64, delay: Duration) {
    counter.fetch_add(1, Ordering::Relaxed);
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

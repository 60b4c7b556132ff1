//! Counts what is asked of a store, and has it answer later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rocket::tokio::time::sleep;
use sealed_sessions::store::{Store, StoreError};

use crate::lab::bench::{Observer, Operation};

/// How often each operation was asked for.
#[derive(Default)]
pub(super) struct Counts([AtomicU64; Operation::ALL.len()]);

impl Counts {
    pub(super) fn by_name(&self) -> BTreeMap<String, u64> {
        let counted = Operation::ALL.iter().zip(&self.0);
        counted.map(|(one, count)| (one.name().to_owned(), count.load(Ordering::Relaxed))).collect()
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
        self.counts.0[operation as usize].fetch_add(1, Ordering::Relaxed);
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
        Ok(())
    }
}

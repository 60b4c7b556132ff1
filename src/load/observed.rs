//! A store around another one that counts what is asked of it, and answers later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rocket::tokio::time::sleep;
use sealed_sessions::{
    Capabilities, Id, IdHash, Listed, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};

/// How often each operation was asked for.
#[derive(Default)]
pub(super) struct Counts {
    load: AtomicU64,
    create: AtomicU64,
    update: AtomicU64,
    rotate: AtomicU64,
    touch: AtomicU64,
    delete: AtomicU64,
    list: AtomicU64,
    lock: AtomicU64,
}

impl Counts {
    pub(super) fn by_name(&self) -> BTreeMap<String, u64> {
        [
            ("load", &self.load),
            ("create", &self.create),
            ("update", &self.update),
            ("rotate", &self.rotate),
            ("touch", &self.touch),
            ("delete", &self.delete),
            ("list", &self.list),
            ("lock", &self.lock),
        ]
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count.load(Ordering::Relaxed)))
        .collect()
    }
}

/// Counts, and waits before each operation as long as a round trip to a store on a network would take. A
/// store that keeps nothing on a server has no network in between, and does not wait.
pub(super) struct Observed {
    inner: Arc<dyn Store>,
    counts: Arc<Counts>,
    delay: Duration,
}

impl Observed {
    pub(super) fn new(inner: Arc<dyn Store>, counts: Arc<Counts>, delay: Duration) -> Observed {
        let delay = if inner.capabilities().server_side { delay } else { Duration::ZERO };
        Observed { inner, counts, delay }
    }

    async fn begin(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
        if !self.delay.is_zero() {
            sleep(self.delay).await;
        }
    }
}

#[rocket::async_trait]
impl Store for Observed {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.inner.start().await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.begin(&self.counts.load).await;
        self.inner.load(ticket, now).await
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.begin(&self.counts.create).await;
        self.inner.create(record, until).await
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.begin(&self.counts.update).await;
        self.inner.update(record, expected, until).await
    }

    async fn rotate(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.begin(&self.counts.rotate).await;
        self.inner.rotate(old, record, expected, until).await
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.begin(&self.counts.touch).await;
        self.inner.touch(record, until).await
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.begin(&self.counts.delete).await;
        self.inner.delete(id).await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        self.begin(&self.counts.list).await;
        self.inner.by_subject(subject, now).await
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        self.begin(&self.counts.list).await;
        self.inner.end_all(subject, except, now).await
    }

    // Upkeep, which no request waits for.
    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.sweep(now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.begin(&self.counts.lock).await;
        self.inner.lock(ticket).await
    }
}

//! Leases: locks that the processes of one database share, and that end by themselves when a process does.

use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::runtime::Handle;
use rocket::tokio::time::{sleep, timeout};

use super::backend::{Backend, LEASE_SECONDS};
use super::detached::run_to_end;
use super::lock::LocalLock;
use super::steps::twice;
use crate::error::StoreError;
use crate::record::id::Id;

/// How long a lease lasts unless it is released. A handler that holds its session for longer is no longer alone
/// with it; what it then writes still meets the version check.
const LEASE_TIMEOUT: Duration = Duration::from_secs(LEASE_SECONDS);

/// How often a process asks for a lease that another one has.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A lease that is released when the last of its clones is dropped.
///
/// It is constructed before it is requested, so that a cancelled request still releases a lease that the database
/// may have granted. Releasing one that was not granted is harmless.
#[derive(Clone)]
pub(super) struct Lease(Arc<Held>);

struct Held {
    backend: Arc<dyn Backend>,
    name: Vec<u8>,
    holder: [u8; Id::BYTES],
    turn: Option<LocalLock>,
}

impl Lease {
    /// `turn` is the caller's among those of this process, if there are turns.
    pub(super) fn new(
        backend: &Arc<dyn Backend>,
        name: &[u8],
        turn: Option<LocalLock>,
    ) -> Result<Lease, StoreError> {
        let holder = Id::random().map_err(|error| StoreError::Failed(error.to_string()))?;
        let (backend, name, holder) = (Arc::clone(backend), name.to_vec(), *holder.as_bytes());
        Ok(Lease(Arc::new(Held { backend, name, holder, turn })))
    }

    /// Asks until the database grants it.
    pub(super) async fn granted(&self) -> Result<(), StoreError> {
        while !self.ask().await? {
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Asks the database to grant this lease. The caller may be cancelled and the database grant it all the
    /// same, so it is not released before there is an answer.
    pub(super) async fn ask(&self) -> Result<bool, StoreError> {
        let lease = self.clone();
        run_to_end(async move {
            let Held { backend, name, holder, .. } = &*lease.0;
            let Some(leases) = backend.leases() else { return Ok(false) };
            let asked = twice(|| leases.grant(name, holder));
            // After that time it would be over: a server that vanished must not block the next caller.
            timeout(LEASE_TIMEOUT, asked).await.unwrap_or(Err(StoreError::TimedOut))
        })
        .await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let (backend, name, holder) =
            (Arc::clone(&self.backend), std::mem::take(&mut self.name), self.holder);
        let turn = self.turn.take();
        runtime.spawn(async move {
            let Some(leases) = backend.leases() else { return };
            // A lease that is not released ends by itself.
            let released = timeout(LEASE_TIMEOUT, twice(|| leases.release(&name, &holder))).await;
            if let Err(error) = released.unwrap_or(Err(StoreError::TimedOut)) {
                log::warn!("a lease could not be released and lasts {LEASE_SECONDS} seconds: {error}");
            }
            // Only now may the next caller of this process ask.
            drop(turn);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::sync::Mutex;

    use rocket::tokio::sync::Notify;

    use super::*;
    use crate::clock::UnixSeconds;
    use crate::record::id::IdHash;
    use crate::store::server::backend::{Leases, Row, SubjectHash};

    /// Grants a lease when it is told to, and notes what it does.
    #[derive(Default)]
    struct Slow {
        steps: Mutex<Vec<&'static str>>,
        grant: Notify,
        released: Notify,
    }

    struct Shared(Arc<Slow>);

    #[rocket::async_trait]
    impl Leases for Shared {
        async fn grant(&self, _: &[u8], _: &[u8; 16]) -> Result<bool, StoreError> {
            self.0.grant.notified().await;
            self.0.steps.lock().unwrap().push("granted");
            Ok(true)
        }

        async fn release(&self, _: &[u8], _: &[u8; 16]) -> Result<(), StoreError> {
            self.0.steps.lock().unwrap().push("released");
            self.0.released.notify_one();
            Ok(())
        }
    }

    #[rocket::async_trait]
    impl Backend for Shared {
        async fn get(&self, _: &IdHash) -> Result<Option<Row>, StoreError> {
            Ok(None)
        }

        async fn insert(&self, _: &IdHash, _: &Row) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn replace(&self, _: &IdHash, _: u32, _: &Row) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn touch(&self, _: &IdHash, _: UnixSeconds, _: UnixSeconds) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn remove(&self, _: &IdHash, _: RangeInclusive<u32>) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn of_subject(&self, _: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
            Ok(Vec::new())
        }

        fn leases(&self) -> Option<&dyn Leases> {
            Some(self)
        }
    }

    #[rocket::async_test]
    async fn a_lease_that_is_granted_to_nobody_any_more_is_given_back() {
        let slow = Arc::new(Slow::default());
        let backend: Arc<dyn Backend> = Arc::new(Shared(Arc::clone(&slow)));
        let lease = Lease::new(&backend, b"name", None).unwrap();
        assert!(timeout(Duration::ZERO, lease.ask()).await.is_err(), "the caller has given up");
        drop(lease);
        slow.grant.notify_one();
        slow.released.notified().await;
        assert_eq!(*slow.steps.lock().unwrap(), ["granted", "released"]);
    }
}

//! What goes on beside the requests: a store that could not be reached at launch is started later, and
//! what has expired is swept out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::{sleep, timeout};

use super::clock::Clock;
use super::error::StoreError;
use super::realm::Realm;
use super::store::Store;

/// How long starting a store, or sweeping one batch out of it, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two batches, so that requests come first.
const BREATH: Duration = Duration::from_millis(20);

/// Starts a store, within bounds.
pub(crate) async fn start(store: &dyn Store) -> Result<(), StoreError> {
    timeout(PATIENCE, store.start()).await.unwrap_or(Err(StoreError::TimedOut))
}

/// The tasks of an app. They end with it, however it ends.
pub(crate) struct Upkeep(Vec<JoinHandle<()>>);

impl Upkeep {
    /// One task for each realm with a server store.
    pub(crate) fn spawn(realms: &[Realm], clock: &Arc<dyn Clock>) -> Upkeep {
        let served = realms.iter().filter(|realm| realm.store.capabilities().server_side);
        let task = |realm: &Realm| {
            let keeper = Keeper {
                path: realm.path.clone(),
                store: Arc::clone(&realm.store),
                clock: Arc::clone(clock),
                interval: realm.sweep_interval,
            };
            rocket::tokio::spawn(keeper.run(realm.waiting.load(Ordering::Relaxed)))
        };
        Upkeep(served.map(task).collect())
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

struct Keeper {
    path: String,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    interval: Duration,
}

impl Keeper {
    async fn run(self, waiting: bool) {
        if waiting {
            self.start().await;
        }
        loop {
            sleep(self.interval).await;
            if let Err(error) = self.sweep().await {
                log::warn!("sessions of {:?}: cannot sweep out what has expired: {error}", self.path);
            }
        }
    }

    async fn start(&self) {
        let mut pause = Duration::from_millis(250);
        while start(&*self.store).await.is_err() {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
        log::info!("sessions of {:?}: the store is there now", self.path);
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let batch = timeout(PATIENCE, self.store.sweep(self.clock.seconds()));
            match batch.await.unwrap_or(Err(StoreError::TimedOut))? {
                0 => return Ok(()),
                count => log::debug!("sessions of {:?}: {count} expired ones swept out", self.path),
            }
            sleep(BREATH).await;
        }
    }
}

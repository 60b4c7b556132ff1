//! The life of an app's stores: they start before it serves, are swept while it does, and stop after its last
//! request.

use std::sync::Arc;
use std::time::Duration;

use rocket::futures::future::join_all;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::error::StoreError;
use crate::ledger::follow;
use crate::realm::Realm;
use crate::realm::map::RealmMap;

/// Requests come first: there is a pause between two batches of a sweep.
const BATCH_INTERVAL: Duration = Duration::from_millis(20);

/// The first and the longest pause between two attempts to start a store.
const RETRY_INTERVALS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How often to look whether the last request has been answered.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Starts the store of every realm. `Err` says why the launch is refused.
pub(crate) async fn start(realms: &RealmMap) -> Result<(), String> {
    for realm in realms.iter() {
        let Err(error) = realm.store.start().await else { continue };
        let (store, path) = (&realm.store_name, &realm.path);
        if realm.store_required {
            return Err(format!(
                "the store {store:?} of {path:?} cannot be started: {error}; \
                 accepted: one that answers, or store_required = false to start without it"
            ));
        }
        log::error!("sessions of {path:?} wait for their store {store:?}: {error}");
    }
    Ok(())
}

/// The background tasks of an app. They end with it, however it ends.
pub(crate) struct Upkeep(Vec<JoinHandle<()>>);

impl Upkeep {
    /// One task for each realm whose store is a service, and one for each ledger.
    pub(crate) fn spawn(realms: &RealmMap, clock: &Arc<dyn Clock>) -> Upkeep {
        let served = realms.iter().filter(|realm| realm.store.has_service());
        let task = |realm| rocket::tokio::spawn(keep(Arc::clone(realm), Arc::clone(clock)));
        let ledgers = realms.iter().filter_map(|realm| realm.store.ledger());
        let follower = |ledger| rocket::tokio::spawn(follow(Arc::clone(ledger)));
        Upkeep(served.map(task).chain(ledgers.map(follower)).collect())
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn keep(realm: Arc<Realm>, clock: Arc<dyn Clock>) {
    // A store that has started bears to be started again; one that could not be reached at launch is here.
    let (mut pause, longest) = RETRY_INTERVALS;
    let mut late = false;
    while realm.store.start().await.is_err() {
        late = true;
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
    if late {
        log::info!("sessions of {:?}: the store is there now", realm.path);
    }
    loop {
        sleep(realm.sweep_interval).await;
        if let Err(error) = sweep(&realm, &*clock).await {
            log::warn!("sessions of {:?}: cannot sweep out what has expired: {error}", realm.path);
        }
    }
}

async fn sweep(realm: &Realm, clock: &dyn Clock) -> Result<(), StoreError> {
    loop {
        match realm.store.sweep(clock.seconds()).await? {
            0 => return Ok(()),
            count => log::debug!("sessions of {:?}: {count} expired ones swept out", realm.path),
        }
        sleep(BATCH_INTERVAL).await;
    }
}

/// The requests that have sessions: each holds a clone until it has been answered.
#[derive(Default)]
pub(crate) struct Requests(Arc<()>);

impl Requests {
    pub(crate) fn enter(&self) -> Arc<()> {
        Arc::clone(&self.0)
    }

    /// Waits until every request has been answered, but no longer than `grace`.
    async fn are_answered(&self, grace: Duration) {
        let none_left = async {
            while Arc::strong_count(&self.0) > 1 {
                sleep(POLL_INTERVAL).await;
            }
        };
        let _ = timeout(grace, none_left).await;
    }
}

/// Stops the stores once the last requests have been answered, or `grace` is over.
pub(crate) async fn stop(realms: &RealmMap, requests: &Requests, grace: Duration) {
    realms.iter().for_each(|realm| realm.stop());
    requests.are_answered(grace).await;
    join_all(realms.iter().map(|realm| realm.store.stop())).await;
}

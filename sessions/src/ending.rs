//! The end of an app: first its last requests, then its stores.

use std::sync::Arc;
use std::time::Duration;

use rocket::futures::future::join_all;
use rocket::tokio::time::{sleep, timeout};

use super::realm::Realm;

/// How long stopping a store may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at the requests that are left.
const PAUSE: Duration = Duration::from_millis(20);

/// Stops the stores, each within bounds.
pub(crate) async fn stop(realms: &[Realm]) {
    join_all(realms.iter().map(|realm| timeout(PATIENCE, realm.store.stop()))).await;
}

/// Which requests have sessions: each holds a clone until it has been answered.
#[derive(Default)]
pub(crate) struct Requests(Arc<()>);

impl Requests {
    pub(crate) fn enter(&self) -> Arc<()> {
        Arc::clone(&self.0)
    }

    /// Waits until there are none, but no longer than `patience`.
    pub(crate) async fn are_answered(&self, patience: Duration) {
        let none_left = async {
            while Arc::strong_count(&self.0) > 1 {
                sleep(PAUSE).await;
            }
        };
        let _ = timeout(patience, none_left).await;
    }
}

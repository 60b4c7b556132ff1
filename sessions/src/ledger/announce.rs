//! Telling the other nodes that there is something to read, without keeping anyone waiting for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio::spawn;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::time::sleep;

use super::bounded::BoundedLog;

/// The pause after each hint: what is appended meanwhile is told by one.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends a node's hints.
pub(super) struct Announcer(Arc<Sending>);

struct Sending {
    log: Arc<BoundedLog>,
    namespace: String,
    state: Mutex<State>,
    has_failed: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The highest position that has to be told.
    next: Option<u64>,
    is_sending: bool,
    task: Option<JoinHandle<()>>,
}

impl Announcer {
    pub(super) fn new(log: Arc<BoundedLog>, namespace: &str) -> Announcer {
        let namespace = namespace.to_owned();
        Announcer(Arc::new(Sending { log, namespace, state: Mutex::default(), has_failed: false.into() }))
    }

    /// Has it told that there are entries up to `position`, if the log can tell.
    pub(super) fn announce(&self, position: u64) {
        if !self.0.log.has_hints() {
            return;
        }
        let mut state = self.0.state();
        state.next = state.next.max(Some(position));
        if !std::mem::replace(&mut state.is_sending, true) {
            state.task = Some(spawn(Arc::clone(&self.0).send_all()));
        }
    }

    /// Waits for the hints that are under way.
    pub(super) async fn finish(&self) {
        let task = self.0.state().task.take();
        if let Some(task) = task {
            // One that has panicked has been logged.
            let _ = task.await;
        }
    }
}

impl Sending {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_all(self: Arc<Self>) {
        while let Some(position) = self.next() {
            self.send(position).await;
            sleep(PAUSE).await;
        }
    }

    fn next(&self) -> Option<u64> {
        let mut state = self.state();
        let next = state.next.take();
        state.is_sending = next.is_some();
        next
    }

    async fn send(&self, position: u64) {
        match self.log.send(position).await {
            Ok(()) => self.has_failed.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.has_failed.swap(true, Ordering::Relaxed) {
                    log::warn!(
                        "other nodes are not told of what is new in the ledger {:?}, and read it within a second: \
                         {error}",
                        self.namespace
                    );
                }
            }
        }
    }
}

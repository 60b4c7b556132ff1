//! Attempts whose passwords are being checked: until they are, nobody knows whether they count.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::tokio::sync::{Semaphore, watch};
use rocket::tokio::time::timeout;

use super::counts::{Counter, Key};

/// How many requests may wait for the attempts that are under way; further ones are refused at once.
const MAX_WAITING: usize = 64;
/// How long each of them waits at most.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The attempts that are under way in this process.
pub(super) struct InFlight {
    /// How many there are for each key.
    keys: Mutex<BTreeMap<Key, usize>>,
    /// Tells of each one that is done and may have made room for others. Only sent to while `keys` is locked.
    done: watch::Sender<()>,
    places: Semaphore,
}

/// An attempt that counts as a wrong password unless it is taken back. It is under way until it is dropped.
#[must_use]
pub(in crate::app) struct Attempt {
    pub(super) counters: Vec<Counter>,
    pub(super) is_taken_back: bool,
    in_flight: Arc<InFlight>,
}

/// The attempts that were under way at a moment.
pub(super) struct Seen<'a> {
    in_flight: &'a InFlight,
    done: watch::Receiver<()>,
}

impl InFlight {
    pub(super) fn new() -> InFlight {
        let (keys, done) = (Mutex::default(), watch::Sender::new(()));
        InFlight { keys, done, places: Semaphore::new(MAX_WAITING) }
    }

    /// Begins an attempt that was counted for these.
    pub(super) fn begin(self: &Arc<InFlight>, counters: Vec<Counter>) -> Attempt {
        let mut keys = self.keys();
        for counter in &counters {
            *keys.entry(counter.key).or_default() += 1;
        }
        drop(keys);
        Attempt { counters, is_taken_back: false, in_flight: Arc::clone(self) }
    }

    pub(super) fn seen(&self) -> Seen<'_> {
        Seen { in_flight: self, done: self.done.subscribe() }
    }

    fn keys(&self) -> MutexGuard<'_, BTreeMap<Key, usize>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen<'_> {
    /// Waits until an attempt for one of these that has been under way since is done, and there may be room for another.
    /// Returns whether there was one.
    pub(super) async fn changed(mut self, counters: &[Counter]) -> bool {
        if !self.may_change(counters) {
            return false;
        }
        let Ok(_place) = self.in_flight.places.try_acquire() else { return false };
        timeout(WAIT_TIMEOUT, self.done.changed()).await.is_ok()
    }

    fn may_change(&self, counters: &[Counter]) -> bool {
        let keys = self.in_flight.keys();
        let is_done = self.done.has_changed().unwrap_or(false);
        is_done || counters.iter().any(|counter| keys.contains_key(&counter.key))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut keys = self.in_flight.keys();
        let mut may_make_room = self.is_taken_back;
        for Counter { key, .. } in &self.counters {
            match keys.get_mut(key) {
                Some(count) if *count > 1 => *count -= 1,
                _ => {
                    keys.remove(key);
                    // The last: those who wait are to learn that they wait in vain.
                    may_make_room = true;
                }
            }
        }
        if may_make_room {
            self.in_flight.done.send_replace(());
        }
    }
}

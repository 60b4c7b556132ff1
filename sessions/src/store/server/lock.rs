//! Locks by id within a process, for requests that take turns.
//!
//! Where several processes share a database, a lease comes on top: then only one waiter of each process asks the
//! database, and the others queue behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rocket::tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::record::id::IdHash;

/// The locks of this process. One that nobody holds or awaits takes no memory.
#[derive(Default, Clone)]
pub(crate) struct LocalLocks(Arc<Mutex<HashMap<IdHash, Arc<AsyncMutex<()>>>>>);

impl LocalLocks {
    /// Waits for the caller's turn. Turns come in the order of asking.
    pub(crate) async fn lock(&self, id: IdHash) -> LocalLock {
        let mutex = Arc::clone(self.names().entry(id).or_default());
        let entry = Entry { locks: self.clone(), id };
        let guard = mutex.lock_owned().await;
        LocalLock { guard: Some(guard), entry }
    }

    fn names(&self) -> std::sync::MutexGuard<'_, HashMap<IdHash, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.names().len()
    }
}

/// A place in the table, also of a waiter that gave up.
struct Entry {
    locks: LocalLocks,
    id: IdHash,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut names = self.locks.names();
        // Everyone who waits for it or holds it has a clone.
        if names.get(&self.id).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            names.remove(&self.id);
        }
    }
}

/// Held until it is dropped.
pub(crate) struct LocalLock {
    /// Taken out first, so that the entry sees whether anybody else is left.
    guard: Option<OwnedMutexGuard<()>>,
    #[expect(dead_code, reason = "held for its Drop")]
    entry: Entry,
}

impl Drop for LocalLock {
    fn drop(&mut self) {
        self.guard.take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::id::Id;

    fn id() -> IdHash {
        IdHash::of(&Id::random().unwrap())
    }

    #[rocket::async_test]
    async fn a_lock_that_nobody_wants_takes_no_place() {
        let (locks, one) = (LocalLocks::default(), id());
        let held = locks.lock(one).await;
        {
            let waiting = rocket::tokio::time::timeout(Duration::ZERO, locks.lock(one));
            assert!(waiting.await.is_err());
            assert_eq!(locks.len(), 1);
        }
        let other = locks.lock(id()).await;
        assert_eq!(locks.len(), 2);
        drop((held, other));
        assert_eq!(locks.len(), 0);
    }
}

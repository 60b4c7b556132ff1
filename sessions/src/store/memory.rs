//! Sessions in the memory of one process: nothing survives a restart, and no other process sees them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::Store;
use super::server::ServerStore;
use super::server::backend::{Backend, Row, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// How many sessions of each sort are kept unless the setting says otherwise.
const DEFAULT_MAX: u64 = 100_000;

pub(super) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    let max = match setting.strip_prefix("memory:") {
        None => DEFAULT_MAX,
        Some(max) => max
            .parse()
            .ok()
            .filter(|max| *max > 0)
            .ok_or_else(|| format!("{max:?} is no number of sessions, as in \"memory:100000\""))?,
    };
    Ok(Arc::new(ServerStore::new(Memory::new(max), realm)))
}

/// Keeps at most so many rows with a subject, and as many without one. Beyond that, those that were used least
/// recently go: visitors without a subject never push out anyone who is signed in.
struct Memory {
    signed_in: Cache<IdHash, Row>,
    anonymous: Cache<IdHash, Row>,
    /// Held by every write, briefly, so that a step over several entries is atomic. Reads do not need it.
    subjects: Mutex<Subjects>,
}

type Subjects = HashMap<SubjectHash, HashSet<IdHash>>;

/// Lets the cache forget what has expired. The cache has a clock of its own: what counts is the row's time.
struct Expiry;

impl moka::Expiry<IdHash, Row> for Expiry {
    fn expire_after_create(&self, _: &IdHash, row: &Row, _: Instant) -> Option<Duration> {
        Some(remaining(row))
    }

    fn expire_after_update(
        &self,
        _: &IdHash,
        row: &Row,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(remaining(row))
    }
}

fn remaining(row: &Row) -> Duration {
    Duration::from_secs(u64::try_from(row.expires.saturating_sub(row.seen)).unwrap_or_default())
}

impl Memory {
    fn new(max: u64) -> Memory {
        // Least recently used, not the cache's own policy, which may refuse a new session.
        let cache = || {
            let cache = Cache::builder().max_capacity(max).eviction_policy(EvictionPolicy::lru());
            cache.expire_after(Expiry).build()
        };
        Memory { signed_in: cache(), anonymous: cache(), subjects: Mutex::default() }
    }

    fn row(&self, id: &IdHash) -> Option<Row> {
        self.signed_in.get(id).or_else(|| self.anonymous.get(id))
    }

    /// Keeps every other write out. Nothing that can panic or wait happens meanwhile.
    fn writing(&self) -> MutexGuard<'_, Subjects> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, subjects: &mut Subjects, id: &IdHash, row: Row) {
        if let Some(subject) = row.subject {
            subjects.entry(subject).or_default().insert(*id);
            self.signed_in.insert(*id, row);
            self.anonymous.invalidate(id);
        } else {
            self.anonymous.insert(*id, row);
            self.signed_in.invalidate(id);
        }
    }
}

#[rocket::async_trait]
impl Backend for Memory {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        Ok(self.row(id))
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        let mut subjects = self.writing();
        let free = self.row(id).is_none();
        if free {
            self.put(&mut subjects, id, row.clone());
        }
        Ok(free)
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let mut subjects = self.writing();
        let row = self.row(id).and_then(|old| old.replaced(expected, row));
        Ok(row.map(|row| self.put(&mut subjects, id, row)).is_some())
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let mut subjects = self.writing();
        let row = self.row(id).and_then(|old| old.touched(seen, expires));
        Ok(row.map(|row| self.put(&mut subjects, id, row)).is_some())
    }

    async fn remove(&self, id: &IdHash, expected: u32) -> Result<bool, StoreError> {
        let _writing = self.writing();
        let found = self.row(id).is_some_and(|row| row.version == expected);
        if found {
            self.signed_in.invalidate(id);
            self.anonymous.invalidate(id);
        }
        Ok(found)
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let subjects = self.writing();
        let ids = subjects.get(subject).into_iter().flatten();
        let rows = ids.filter_map(|id| Some((*id, self.row(id)?)));
        // An id may have got another subject since it was entered.
        Ok(rows.filter(|(_, row)| row.subject.as_ref() == Some(subject)).collect())
    }

    /// The caches forget by themselves; the lists of subjects do not.
    async fn sweep(&self, _now: UnixSeconds) -> Result<u64, StoreError> {
        self.signed_in.run_pending_tasks();
        self.anonymous.run_pending_tasks();
        self.writing().retain(|_, ids| {
            ids.retain(|id| self.signed_in.contains_key(id));
            !ids.is_empty()
        });
        Ok(0)
    }
}

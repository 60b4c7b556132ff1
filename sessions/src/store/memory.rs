//! Sessions in the memory of one process: nothing survives a restart, and no other process sees them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::Store;
use super::server::ServerStore;
use super::server::backend::{Backend, Row, Scan, Scanned, SubjectHash};
use crate::clock::{Clock, SystemClock, UnixSeconds};
use crate::error::StoreError;
use crate::record::id::IdHash;

/// How many sessions of each sort are kept unless the setting says otherwise.
const DEFAULT_MAX: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

pub(super) fn open(setting: &str, namespace: &str) -> Result<Arc<dyn Store>, String> {
    let max = match setting.strip_prefix("memory:") {
        None => DEFAULT_MAX,
        Some(max) => max
            .parse()
            .map_err(|_| format!("{max:?} is not a number of sessions, as in \"memory:100000\""))?,
    };
    Ok(Arc::new(ServerStore::new(Memory(Mutex::new(Rows::new(max))), namespace)))
}

/// All rows, behind one lock: every step is atomic, short, and waits for nothing.
struct Memory(Mutex<Rows>);

impl Memory {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// At most so many rows with a subject, and as many without one. Beyond that, those that were used least recently go:
/// visitors without a subject never push out anyone who is signed in. Nor does one subject: it has a tenth.
struct Rows {
    signed_in: Cache,
    anonymous: Cache,
    /// The ids of each subject, in the order of their last writes.
    subjects: HashMap<SubjectHash, Vec<IdHash>>,
    max_of_subject: usize,
}

type Cache = LruCache<IdHash, Row, BuildHasherDefault<AlreadyHashed>>;

impl Rows {
    fn new(max: NonZeroUsize) -> Rows {
        // The caches grow as they are filled.
        let cache = || {
            let mut cache = Cache::unbounded_with_hasher(BuildHasherDefault::default());
            cache.resize(max);
            cache
        };
        let max_of_subject = (max.get() / 10).max(1);
        Rows { signed_in: cache(), anonymous: cache(), subjects: HashMap::new(), max_of_subject }
    }

    /// A row, which is used by that.
    fn get(&mut self, id: &IdHash) -> Option<&Row> {
        match self.signed_in.get(id) {
            Some(row) => Some(row),
            None => self.anonymous.get(id),
        }
    }

    fn put(&mut self, id: &IdHash, row: Row) {
        match row.subject {
            None => {
                self.anonymous.put(*id, row);
            }
            Some(subject) => {
                let ids = self.subjects.entry(subject).or_default();
                ids.retain(|other| other != id);
                ids.push(*id);
                if ids.len() > self.max_of_subject {
                    self.signed_in.pop(&ids.remove(0));
                }
                if let Some((other, pushed_out)) = self.signed_in.push(*id, row)
                    && (other != *id || pushed_out.subject != Some(subject))
                {
                    self.forget(&other, &pushed_out);
                }
            }
        }
    }

    /// Replaces a row by what `change` makes of it; `false` if that is nothing.
    fn change(&mut self, id: &IdHash, change: impl FnOnce(&Row) -> Option<Row>) -> bool {
        let Some(old) = self.get(id) else { return false };
        let was_signed_in = old.subject.is_some();
        let Some(row) = change(old) else { return false };
        if was_signed_in != row.subject.is_some() {
            self.take(id);
        }
        self.put(id, row);
        true
    }

    fn take(&mut self, id: &IdHash) {
        if let Some(row) = self.signed_in.pop(id) {
            self.forget(id, &row);
        } else {
            self.anonymous.pop(id);
        }
    }

    /// Strikes a row that is gone off its subject's list.
    fn forget(&mut self, id: &IdHash, row: &Row) {
        let Some(subject) = row.subject else { return };
        if let Some(ids) = self.subjects.get_mut(&subject) {
            ids.retain(|other| other != id);
            if ids.is_empty() {
                self.subjects.remove(&subject);
            }
        }
    }
}

#[rocket::async_trait]
impl Backend for Memory {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        Ok(self.rows().get(id).cloned())
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let is_free = rows.get(id).is_none();
        if is_free {
            rows.put(id, row.clone());
        }
        Ok(is_free)
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        Ok(self.rows().change(id, |old| old.replaced(expected, row)))
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        Ok(self.rows().change(id, |old| old.touched(seen, expires)))
    }

    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        let mut rows = self.rows();
        let found = rows.get(id).is_some_and(|row| versions.contains(&row.version));
        if found {
            rows.take(id);
        }
        Ok(found)
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let rows = self.rows();
        let ids = rows.subjects.get(subject).into_iter().flatten();
        Ok(ids.filter_map(|id| Some((*id, rows.signed_in.peek(id)?.clone()))).collect())
    }

    fn bounds_anonymous(&self, max: u64) -> bool {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        // A store without room for one session could not even keep the one that a request has just opened.
        self.rows().anonymous.resize(NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN));
        true
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let (mut rows, now) = (self.rows(), now.min(SystemClock.seconds()));
        let all = rows.signed_in.iter().chain(rows.anonymous.iter());
        let expired: Vec<IdHash> = all.filter(|(_, row)| row.expires <= now).map(|(id, _)| *id).collect();
        expired.iter().for_each(|id| rows.take(id));
        Ok(expired.len() as u64)
    }

    fn scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Scan for Memory {
    /// One page: all rows as of one moment. Markers are among those without a subject.
    async fn page(&self, _from: &[u8]) -> Result<Scanned, StoreError> {
        let rows = self.rows();
        let markers = rows.anonymous.iter().filter(|(_, row)| row.version == 0);
        let found = rows.signed_in.iter().chain(markers).map(|(id, row)| (*id, row.clone()));
        Ok(Scanned { rows: found.collect(), next: None })
    }
}

/// A hash of a hash is its first bytes.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    // The length comes first.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

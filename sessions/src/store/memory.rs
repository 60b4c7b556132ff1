//! Sessions in the memory of one process: nothing survives a restart, and no other process sees them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::server::lock::LocalLocks;
use super::server::row::{Row, saved};
use super::{Capabilities, Listed, Loaded, Lock, RENEWAL_GRACE, Store, Written};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// How many sessions of each sort are kept unless the setting says otherwise.
const DEFAULT_MOST: u64 = 100_000;

pub(super) fn open(setting: &str, _realm: &str) -> Result<Arc<dyn Store>, String> {
    let most = match setting.strip_prefix("memory:") {
        None => DEFAULT_MOST,
        Some(most) => most
            .parse()
            .ok()
            .filter(|most| *most > 0)
            .ok_or_else(|| format!("{most:?} is no number of sessions, as in \"memory:100000\""))?,
    };
    Ok(Arc::new(MemoryStore::new(most)))
}

/// Keeps at most so many sessions with a subject, and as many without one. Where there are more, those
/// that were used least recently go; visitors without a subject never push out one that has one.
struct MemoryStore {
    signed_in: Cache<IdHash, Slot>,
    anonymous: Cache<IdHash, Slot>,
    /// Held by every write, briefly: a step over several entries is one step. Reads need it not.
    subjects: Mutex<Subjects>,
    locks: LocalLocks,
}

type Subjects = HashMap<String, HashSet<IdHash>>;

#[derive(Clone)]
struct Slot {
    /// None in the marker that a renewed id leaves behind.
    row: Option<Arc<Row>>,
    /// Which session such an id became.
    next: Option<IdHash>,
    /// When it expires, by the sessions' clock: this is what counts.
    expires: UnixSeconds,
    /// How long it is worth keeping, for the cache, which has a clock of its own.
    remaining: Duration,
}

impl Slot {
    fn new(row: Option<Row>, now: UnixSeconds, expires: UnixSeconds) -> Slot {
        let remaining = Duration::from_secs(u64::try_from(expires.saturating_sub(now)).unwrap_or_default());
        Slot { row: row.map(Arc::new), next: None, expires, remaining }
    }

    fn of(record: &Record, expires: UnixSeconds) -> Slot {
        Slot::new(Some(Row::from(record)), record.seen, expires)
    }

    fn live(&self, now: UnixSeconds) -> Option<&Arc<Row>> {
        self.row.as_ref().filter(|_| now < self.expires)
    }
}

/// Lets the cache forget what nobody asks for any more.
struct Expiry;

impl moka::Expiry<IdHash, Slot> for Expiry {
    fn expire_after_create(&self, _: &IdHash, slot: &Slot, _: Instant) -> Option<Duration> {
        Some(slot.remaining)
    }

    fn expire_after_update(
        &self,
        _: &IdHash,
        slot: &Slot,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(slot.remaining)
    }
}

impl MemoryStore {
    fn new(most: u64) -> MemoryStore {
        // Least recently used, not the cache's own choice: that one may refuse a new session.
        let cache = || {
            let cache = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru());
            cache.expire_after(Expiry).build()
        };
        MemoryStore {
            signed_in: cache(),
            anonymous: cache(),
            subjects: Mutex::default(),
            locks: LocalLocks::default(),
        }
    }

    fn slot(&self, id: &IdHash) -> Option<Slot> {
        self.signed_in.get(id).or_else(|| self.anonymous.get(id))
    }

    /// Keeps every other write out. Nothing that can panic or wait happens meanwhile.
    fn writing(&self) -> MutexGuard<'_, Subjects> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, subjects: &mut Subjects, id: IdHash, slot: Slot) {
        match slot.row.as_ref().and_then(|row| row.subject.clone()) {
            Some(subject) => {
                self.signed_in.insert(id, slot);
                self.anonymous.invalidate(&id);
                subjects.entry(subject).or_default().insert(id);
            }
            None => {
                self.anonymous.insert(id, slot);
                self.signed_in.invalidate(&id);
            }
        }
    }

    fn remove(&self, id: &IdHash) {
        self.signed_in.invalidate(id);
        self.anonymous.invalidate(id);
    }

    /// What stands in the way of a write over `id`, if anything.
    fn obstacle(&self, id: &IdHash, expected: Option<u32>, now: UnixSeconds) -> Option<Written> {
        match self.slot(id).as_ref().and_then(|slot| slot.live(now)) {
            None => Some(Written::Gone),
            Some(row) if expected.is_some_and(|expected| row.version != expected) => Some(Written::Conflict),
            Some(_) => None,
        }
    }

    /// The live sessions of a subject.
    fn of_subject(&self, subjects: &Subjects, subject: &str, now: UnixSeconds) -> Vec<(IdHash, Arc<Row>)> {
        let ids = subjects.get(subject).into_iter().flatten();
        let live = ids.filter_map(|id| Some((*id, Arc::clone(self.slot(id)?.live(now)?))));
        // An id may have got another subject since it was entered.
        live.filter(|(_, row)| row.subject.as_deref() == Some(subject)).collect()
    }
}

#[rocket::async_trait]
impl Store for MemoryStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side: true, lists: true, locks: true }
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        Ok(match self.slot(&IdHash::of(&id)) {
            Some(Slot { row, expires, .. }) if now < expires => match row {
                Some(row) => Loaded::Found(Row::clone(&row).into_record(id)),
                None => Loaded::Superseded,
            },
            _ => Loaded::Missing,
        })
    }

    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let mut subjects = self.writing();
        if self.slot(&id).is_some() {
            return Ok(Written::Conflict);
        }
        self.put(&mut subjects, id, Slot::of(record, expires));
        Ok(saved(record))
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let mut subjects = self.writing();
        if let Some(obstacle) = self.obstacle(&id, Some(expected), record.seen) {
            return Ok(obstacle);
        }
        self.put(&mut subjects, id, Slot::of(record, expires));
        Ok(saved(record))
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let (old, new) = (IdHash::of(old), IdHash::of(&record.id));
        let mut subjects = self.writing();
        if let Some(obstacle) = self.obstacle(&old, Some(expected), record.seen) {
            return Ok(obstacle);
        }
        if self.slot(&new).is_some() {
            return Ok(Written::Conflict);
        }
        self.put(&mut subjects, new, Slot::of(record, expires));
        let marker = Slot::new(None, record.seen, record.seen.saturating_add(RENEWAL_GRACE));
        self.put(&mut subjects, old, Slot { next: Some(new), ..marker });
        Ok(saved(record))
    }

    async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let mut subjects = self.writing();
        let slot = self.slot(&id);
        let Some(row) = slot.as_ref().and_then(|slot| slot.live(record.seen)) else {
            return Ok(Written::Gone);
        };
        let expires = slot.as_ref().map_or(expires, |slot| slot.expires.max(expires));
        let row = Row { seen: row.seen.max(record.seen), ..Row::clone(row) };
        self.put(&mut subjects, id, Slot::new(Some(row), record.seen, expires));
        Ok(saved(record))
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        let _writing = self.writing();
        let mut ended = *id;
        while let Some(Slot { next: Some(next), .. }) = self.slot(&ended) {
            ended = next;
        }
        self.remove(&ended);
        Ok(())
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let live = self.of_subject(&self.writing(), subject, now);
        Ok(live.into_iter().map(|(id, row)| Row::clone(&row).into_listed(id)).collect())
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let subjects = self.writing();
        let mut ended = 0;
        for (id, _) in self.of_subject(&subjects, subject, now) {
            if except != Some(&id) {
                self.remove(&id);
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// The caches forget by themselves; the lists of subjects do not.
    async fn sweep(&self, _now: UnixSeconds) -> Result<u64, StoreError> {
        self.signed_in.run_pending_tasks();
        self.anonymous.run_pending_tasks();
        let mut subjects = self.writing();
        subjects.retain(|_, ids| {
            ids.retain(|id| self.signed_in.contains_key(id));
            !ids.is_empty()
        });
        Ok(0)
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        match IdHash::of_ticket(ticket) {
            Some(id) => Ok(Lock::new(self.locks.lock(id).await)),
            None => Ok(Lock::new(())),
        }
    }
}

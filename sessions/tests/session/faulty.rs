//! The `memory` store with faults: it fails, hangs, or meets another writer at the calls a test names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::futures::FutureExt as _;
use rocket::tokio::sync::Notify;
use sealed_sessions::store::{
    self, Capabilities, Id, IdHash, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};

/// What happens instead of, or just before, a call.
pub enum Act {
    /// The store answers with an error.
    Fault,
    /// The store never answers.
    Stall,
    /// Another request changes the session first.
    Meanwhile(fn(&mut Record)),
    /// Another request ends the session first.
    Forget,
}

pub struct Faulty {
    inner: Arc<dyn Store>,
    script: Mutex<HashMap<&'static str, VecDeque<Act>>>,
    calls: Mutex<Vec<&'static str>>,
    /// Of all sessions it was given: the inner store keeps only their hashes.
    ids: Mutex<HashSet<Id>>,
    closed: AtomicBool,
    /// Notified when the store is stopped.
    pub stopped: Notify,
}

impl Faulty {
    pub fn new() -> Arc<Faulty> {
        Arc::new(Faulty {
            inner: store::open("memory", "__Host-session").unwrap(),
            script: Mutex::default(),
            calls: Mutex::default(),
            ids: Mutex::default(),
            closed: AtomicBool::new(false),
            stopped: Notify::new(),
        })
    }

    /// Adds to what happens at the next calls of `name`.
    pub fn next(&self, name: &'static str, act: Act) {
        self.script.lock().unwrap().entry(name).or_default().push_back(act);
    }

    /// The names of the calls since it was last asked.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// The sessions that it holds, expired ones too.
    pub fn records(&self) -> Vec<Record> {
        let ids = self.ids.lock().unwrap();
        let load = |id: &Id| self.inner.load(&id.to_text(), 0).now_or_never();
        let loaded = ids.iter().map(|id| load(id).expect("memory answers at once").unwrap());
        let found = |loaded| if let Loaded::Found(record) = loaded { Some(record) } else { None };
        loaded.filter_map(found).collect()
    }

    /// Counts a call of `name` about the session of this ticket, and plays its next act.
    async fn play(&self, name: &'static str, ticket: &str) -> Result<(), StoreError> {
        if self.is_closed() {
            return Err(StoreError::Failed("it is closed".into()));
        }
        self.calls.lock().unwrap().push(name);
        let act = self.script.lock().unwrap().get_mut(name).and_then(VecDeque::pop_front);
        match act {
            None => {}
            Some(Act::Fault) => return Err(StoreError::Failed("scripted".into())),
            Some(Act::Stall) => std::future::pending().await,
            Some(Act::Meanwhile(change)) => {
                if let Loaded::Found(mut record) = self.inner.load(ticket, 0).await? {
                    let expected = record.version;
                    change(&mut record);
                    record.version += 1;
                    self.inner.update(&record, expected, record.seen + 1800).await?;
                }
            }
            Some(Act::Forget) => self.inner.delete(&IdHash::of_ticket(ticket).unwrap()).await?,
        }
        Ok(())
    }
}

#[rocket::async_trait]
impl Store for Faulty {
    fn capabilities(&self) -> Capabilities {
        Capabilities { lists: false, ..self.inner.capabilities() }
    }

    async fn stop(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.play("load", ticket).await?;
        self.inner.load(ticket, now).await
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.play("create", &record.id.to_text()).await?;
        self.ids.lock().unwrap().insert(record.id);
        self.inner.create(record, until).await
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.play("update", &record.id.to_text()).await?;
        self.inner.update(record, expected, until).await
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.play("rotate", &old.to_text()).await?;
        self.ids.lock().unwrap().insert(record.id);
        self.inner.renew(old, record, expected, until).await
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.play("touch", &record.id.to_text()).await?;
        self.inner.touch(record, until).await
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.play("delete", "").await?;
        self.inner.delete(id).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.play("lock", ticket).await?;
        self.inner.lock(ticket).await
    }
}

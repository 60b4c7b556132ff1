//! The `memory` store with faults: it fails, hangs, or meets another writer at the calls a test names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::futures::FutureExt as _;
use rocket::local::blocking::Client;
use rocket::tokio::sync::Notify;
use sealed_sessions::store::{
    self, Id, Loaded, Lock, Locks, Over, Record, Service, Store, StoreError, UnixSeconds, Write, Written,
};

use crate::support::{App, get};

/// What happens instead of, or just before, a call.
pub enum Act {
    /// The store answers with an error.
    Fault,
    /// The store will never take this.
    Refuse,
    /// The store never answers.
    Stall,
    /// Another request changes the session first.
    Meanwhile(fn(&mut Record)),
    /// Another request ends the session first.
    Forget,
}

/// The names of calls are `load`, `delete`, `lock`, and those of the kinds of writes: `create`, `update`, `renew`,
/// `touch`.
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
            inner: store::open("memory", "__Host-Http-session").unwrap(),
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

    /// Keeps a session that no request has opened.
    pub async fn keep(&self, record: &Record) {
        let write = Write { record, expires: record.seen + 1800, over: Over::Nothing };
        self.save(&write).await.unwrap();
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
            Some(Act::Refuse) => return Err(StoreError::Refused("too large a packet".into())),
            Some(Act::Stall) => std::future::pending().await,
            Some(Act::Meanwhile(change)) => {
                if let Loaded::Found(mut record) = self.inner.load(ticket, 0).await? {
                    let expected = record.version;
                    change(&mut record);
                    record.version += 1;
                    let (expires, over) = (record.seen + 1800, Over::Version(expected));
                    self.inner.save(&Write { record: &record, expires, over }).await?;
                }
            }
            Some(Act::Forget) => self.inner.delete(ticket).await?,
        }
        Ok(())
    }
}

#[rocket::async_trait]
impl Store for Faulty {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.play("load", ticket).await?;
        self.inner.load(ticket, now).await
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let (name, id) = match write.over {
            Over::Nothing | Over::Dead { .. } => ("create", write.record.id),
            Over::Version(_) => ("update", write.record.id),
            Over::Renewed(old) => ("renew", old.id),
            Over::Touch => ("touch", write.record.id),
        };
        self.play(name, &id.to_text()).await?;
        self.ids.lock().unwrap().insert(write.record.id);
        self.inner.save(write).await
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.play("delete", ticket).await?;
        self.inner.delete(ticket).await
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }

    fn service(&self) -> Option<&dyn Service> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Locks for Faulty {
    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.play("lock", ticket).await?;
        self.inner.locks().unwrap().lock(ticket).await
    }
}

#[rocket::async_trait]
impl Service for Faulty {
    async fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn sweep(&self, _: UnixSeconds) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn stop(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
    }
}

pub const SETTINGS: &str = "[default.session]\nstore = \"faulty\"\nstore_timeout = \"50 ms\"";

/// The site with its sessions in this store.
pub fn app(store: &Arc<Faulty>) -> App {
    App::new(SETTINGS).store("faulty", store.clone())
}

/// A browser that has been there once.
pub fn start() -> (Arc<Faulty>, App, Client) {
    let store = Faulty::new();
    let app = app(&store);
    let browser = app.browser();
    assert_eq!(get(&browser, "/visits"), "1");
    store.calls();
    (store, app, browser)
}

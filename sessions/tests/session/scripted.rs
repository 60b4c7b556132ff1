//! A server store in memory that does what a test tells it to: the seam must hold before any real
//! server store exists.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::tokio::sync::{Mutex as AsyncMutex, Notify};
use sealed_sessions::{
    Capabilities, Id, IdHash, Loaded, Lock, ROTATION_GRACE, Record, Store, StoreError, Ticket, UnixSeconds,
    Written,
};

/// What happens instead of, or before, the next call of a name.
pub enum Act {
    /// The store answers with an error.
    Fault,
    /// The store never answers.
    Stall,
    /// Somebody else changes the session first.
    Meanwhile(fn(&mut Record)),
    /// Somebody else ends the session first.
    Forget,
}

#[derive(Default)]
pub struct Scripted {
    kept: Mutex<Kept>,
    script: Mutex<HashMap<&'static str, VecDeque<Act>>>,
    calls: Mutex<Vec<&'static str>>,
    closed: AtomicBool,
    /// Told when the store is stopped.
    pub stopped: Notify,
    locks: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

#[derive(Default)]
struct Kept {
    sessions: HashMap<String, (Record, UnixSeconds)>,
    rotated: HashMap<String, (UnixSeconds, IdHash)>,
}

impl Scripted {
    pub fn new() -> Arc<Scripted> {
        Arc::default()
    }

    /// Adds to what happens at the next calls of `name`.
    pub fn next(&self, name: &'static str, act: Act) {
        self.script.lock().unwrap().entry(name).or_default().push_back(act);
    }

    /// The calls since the last question, by name.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub fn records(&self) -> Vec<Record> {
        self.kept.lock().unwrap().sessions.values().map(|(record, _)| record.clone()).collect()
    }

    async fn play(&self, name: &'static str, id: &str) -> Result<(), StoreError> {
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
                if let Some((record, _)) = self.kept.lock().unwrap().sessions.get_mut(id) {
                    change(record);
                    record.version += 1;
                }
            }
            Some(Act::Forget) => {
                self.kept.lock().unwrap().sessions.remove(id);
            }
        }
        Ok(())
    }
}

fn saved(record: &Record) -> Written {
    Written::Saved(Ticket::new(&record.id.to_text()))
}

#[rocket::async_trait]
impl Store for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side: true, lists: false, locks: true }
    }

    async fn stop(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.play("load", ticket).await?;
        let kept = self.kept.lock().unwrap();
        Ok(match (kept.sessions.get(ticket), kept.rotated.get(ticket)) {
            (Some((record, until)), _) if now < *until => Loaded::Found(record.clone()),
            (None, Some((until, _))) if now < *until => Loaded::Superseded,
            _ => Loaded::Missing,
        })
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.play("create", &record.id.to_text()).await?;
        let mut kept = self.kept.lock().unwrap();
        match kept.sessions.contains_key(&record.id.to_text()) {
            true => Ok(Written::Conflict),
            false => {
                kept.sessions.insert(record.id.to_text(), (record.clone(), until));
                Ok(saved(record))
            }
        }
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.play("update", &record.id.to_text()).await?;
        match self.kept.lock().unwrap().sessions.get_mut(&record.id.to_text()) {
            None => Ok(Written::Gone),
            Some((kept, _)) if kept.version != expected => Ok(Written::Conflict),
            Some(kept) => {
                *kept = (record.clone(), until);
                Ok(saved(record))
            }
        }
    }

    async fn rotate(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        self.play("rotate", &old.to_text()).await?;
        let mut kept = self.kept.lock().unwrap();
        match kept.sessions.get(&old.to_text()) {
            None => Ok(Written::Gone),
            Some((current, _)) if current.version != expected => Ok(Written::Conflict),
            Some(_) => {
                kept.sessions.remove(&old.to_text());
                kept.rotated.insert(old.to_text(), (record.seen + ROTATION_GRACE, IdHash::of(&record.id)));
                kept.sessions.insert(record.id.to_text(), (record.clone(), until));
                Ok(saved(record))
            }
        }
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.play("touch", &record.id.to_text()).await?;
        match self.kept.lock().unwrap().sessions.get_mut(&record.id.to_text()) {
            None => Ok(Written::Gone),
            Some((kept, end)) => {
                kept.seen = kept.seen.max(record.seen);
                *end = until.max(*end);
                Ok(saved(record))
            }
        }
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        self.play("delete", "").await?;
        let mut kept = self.kept.lock().unwrap();
        let is = |text: &String, id: &IdHash| Id::from_text(text).is_some_and(|own| IdHash::of(&own) == *id);
        let mut ended = *id;
        while let Some((_, (_, next))) = kept.rotated.iter().find(|(text, _)| is(text, &ended)) {
            ended = *next;
        }
        kept.sessions.retain(|_, (record, _)| IdHash::of(&record.id) != ended);
        Ok(())
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.play("lock", ticket).await?;
        let lock = self.locks.lock().unwrap().entry(ticket.to_owned()).or_default().clone();
        Ok(Lock::new(lock.lock_owned().await))
    }
}

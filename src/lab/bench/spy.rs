//! Notes what each request does in its store, and can take the store away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::tokio::task_local;
use sealed_sessions::store::{Record, Store, StoreError};

use super::fault::plain;
use super::watched::{Effect, Observer, Operation};

/// What a request changed in its store.
#[derive(Default)]
pub(super) struct Moves {
    pub(super) before: Option<Record>,
    pub(super) after: After,
    /// The first that went wrong, in words.
    pub(super) fault: Option<String>,
}

#[derive(Default)]
pub(super) enum After {
    #[default]
    Unchanged,
    Written(Record),
    Ended,
}

/// The notes of one request. Requests that overlap run in one task and have one each.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Moves>>);

task_local! {
    static NOTES: Notes;
}

impl Notes {
    pub(super) async fn during<F: Future>(&self, work: F) -> F::Output {
        NOTES.scope(self.clone(), work).await
    }

    pub(super) fn take(&self) -> Moves {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Moves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes the effects of each request on its store. While `down` is set, the store's server does not
/// answer; a store without a server has none that could fail.
pub(super) struct Spy {
    server_side: bool,
    down: Arc<AtomicBool>,
}

impl Spy {
    pub(super) fn new(store: &dyn Store, down: Arc<AtomicBool>) -> Spy {
        Spy { server_side: store.list().is_some(), down }
    }
}

impl Observer for Spy {
    async fn before(&self, _operation: Operation) -> Result<(), StoreError> {
        if self.server_side && self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the experiment has taken it away".into()));
        }
        Ok(())
    }

    fn failed(&self, error: &StoreError) {
        // Outside of a request there are no notes to keep.
        let _ = NOTES.try_with(|notes| {
            notes.lock().fault.get_or_insert_with(|| plain(&error.to_string()));
        });
    }

    fn after(&self, effect: Effect<'_>) {
        let _ = NOTES.try_with(|notes| {
            let mut moves = notes.lock();
            match effect {
                Effect::Loaded(record) => moves.before = Some(record.clone()),
                Effect::Written(record) => moves.after = After::Written(record.clone()),
                Effect::Deleted => moves.after = After::Ended,
            }
        });
    }
}

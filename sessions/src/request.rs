//! One session during one request: loaded at most once, shared by every guard, handed to the commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::SentChunks;
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::Arrival;
use crate::record::Record;
use crate::record::merge::merge;
use crate::record::timeouts::{Expires, RealmTimeouts};
use crate::store::Lock;

/// A session as it was loaded, and what the request's handlers have done to it since.
pub(crate) struct RequestSession<T> {
    /// The current time as this request sees it.
    pub(crate) now: UnixSeconds,
    /// The chunks that the browser sent.
    pub(crate) chunks: SentChunks,
    pub(crate) key_age: KeyAge,
    /// `None` unless a session was resumed.
    pub(crate) sizes: Option<Sizes>,
    state: Mutex<Stage<T>>,
}

/// What the browser sent of the session.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// The number of cookies.
    pub(crate) cookies: usize,
    /// The length of their values.
    pub(crate) value: usize,
}

/// A session is open until its response is under way.
enum Stage<T> {
    Open(State<T>),
    /// Guards that outlive the response can still read the data.
    Committed(Arrival, Arc<T>),
}

/// What the handlers have left of a session.
pub(crate) struct State<T> {
    pub(crate) arrival: Arrival,
    pub(crate) base: Option<Box<Base<T>>>,
    pub(crate) data: Arc<T>,
    pub(crate) change: Change,
    /// This login asks to be remembered.
    pub(crate) remember: bool,
    /// What `destroy` has ended. Data set afterwards belongs to a new session.
    pub(crate) destroyed: Option<Destroyed>,
    lock: Option<Lock>,
}

/// What the handlers have done to a session; each implies those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Unchanged,
    Modified,
    Renewed,
    /// The subject has proven who they are.
    Proven,
}

/// What `destroy` was called on.
pub(crate) enum Destroyed {
    Nothing,
    Session(Box<Record>),
}

/// A resumed session as it was loaded.
pub(crate) struct Base<T> {
    pub(crate) record: Record,
    pub(crate) ticket: Ticket,
    /// The record's data as `T` reads it. Changes are compared with this: neither a field that the record lacks
    /// nor a map's own order is a change.
    pub(crate) data: Arc<T>,
}

impl<T: SessionData> State<T> {
    fn anonymous(arrival: Arrival) -> State<T> {
        State {
            arrival,
            base: None,
            data: Arc::default(),
            change: Change::Unchanged,
            remember: false,
            destroyed: None,
            lock: None,
        }
    }

    fn resumed(base: Box<Base<T>>) -> State<T> {
        let data = Arc::clone(&base.data);
        State { base: Some(base), data, ..State::anonymous(Arrival::Resumed) }
    }
}

impl<T: SessionData> RequestSession<T> {
    pub(crate) fn anonymous(now: UnixSeconds, arrival: Arrival, chunks: SentChunks) -> Box<Self> {
        let state = State::anonymous(arrival);
        Box::new(RequestSession { now, chunks, key_age: KeyAge::Current, sizes: None, state: open(state) })
    }

    pub(crate) fn resumed(
        now: UnixSeconds,
        base: Box<Base<T>>,
        key_age: KeyAge,
        chunks: SentChunks,
        sizes: Sizes,
    ) -> Box<Self> {
        Box::new(RequestSession {
            now,
            chunks,
            key_age,
            sizes: Some(sizes),
            state: open(State::resumed(base)),
        })
    }

    /// No code of the app runs while this is held, so it is held briefly and never twice by one task.
    fn stage(&self) -> MutexGuard<'_, Stage<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn data(&self) -> Arc<T> {
        match &*self.stage() {
            Stage::Open(State { data, .. }) | Stage::Committed(_, data) => Arc::clone(data),
        }
    }

    pub(crate) fn arrival(&self) -> Arrival {
        match &*self.stage() {
            Stage::Open(State { arrival, .. }) | Stage::Committed(arrival, _) => *arrival,
        }
    }

    /// Runs `change` on a copy, then puts the copy in place. If another guard has changed the session in the
    /// meantime, both changes are kept, field by field.
    pub(crate) fn update<R>(&self, at_least: Change, change: impl FnOnce(&mut T) -> R) -> R {
        let before = self.data();
        let mut after = T::clone(&before);
        let answer = change(&mut after);
        self.modify(|state| {
            if !Arc::ptr_eq(&state.data, &before) {
                match merged::<T>(&before, &after, &state.data) {
                    Ok(both) => after = both,
                    Err(error) => log::error!(
                        "two changes of one session cannot be merged, the later one is kept: {error}"
                    ),
                }
            }
            state.data = Arc::new(after);
            state.change = state.change.max(at_least);
        });
        answer
    }

    pub(crate) fn mark(&self, change: Change) {
        self.modify(|state| state.change = state.change.max(change));
    }

    pub(crate) fn remember(&self) {
        self.modify(|state| {
            state.remember = true;
            state.change = state.change.max(Change::Modified);
        });
    }

    pub(crate) fn destroy(&self) {
        self.modify(|state| {
            let destroyed = match (state.base.take(), state.destroyed.take()) {
                (Some(base), _) => Destroyed::Session(Box::new(base.record)),
                (None, before) => before.unwrap_or(Destroyed::Nothing),
            };
            let lock = state.lock.take();
            *state = State { destroyed: Some(destroyed), lock, ..State::anonymous(state.arrival) };
        });
    }

    fn modify(&self, change: impl FnOnce(&mut State<T>)) {
        match &mut *self.stage() {
            Stage::Open(state) => change(state),
            Stage::Committed(..) => {
                log::error!("a session was changed after its response was under way: the change is not kept");
            }
        }
    }

    /// Looks at the session as it was loaded; `None` for a new one.
    pub(crate) fn with_base<R>(&self, look: impl FnOnce(&Base<T>) -> R) -> Option<R> {
        match &*self.stage() {
            Stage::Open(state) => state.base.as_deref().map(look),
            Stage::Committed(..) => None,
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(&*self.stage(), Stage::Open(State { lock: Some(_), .. }))
    }

    /// Takes the session's lock and the session as it was read under it. Changes made before are merged onto
    /// it, field by field. They are dropped if the session has ended, or now belongs to somebody else.
    pub(crate) fn relock(&self, lock: Lock, fresh: Result<Box<Base<T>>, Arrival>) {
        self.modify(|state| {
            state.lock = Some(lock);
            if state.destroyed.is_some() {
                return;
            }
            let lock = state.lock.take();
            *state = match fresh {
                Ok(fresh) => State { lock, ..rebased(state, fresh) },
                Err(arrival) => State { lock, ..State::anonymous(arrival) },
            };
        });
    }

    /// When the session expires, counted from the response to this request; `None` while there is nothing to
    /// keep.
    pub(crate) fn expires(&self, timeouts: &RealmTimeouts) -> Option<Expires> {
        let stage = self.stage();
        let Stage::Open(state) = &*stage else { return None };
        let base = state.base.as_deref().map(|base| &base.record);
        match (base, state.change) {
            (Some(base), Change::Unchanged) if !timeouts.touch_due(base, self.now) => {
                Some(timeouts.of(base).expires(base.created, base.seen))
            }
            (None, Change::Unchanged) => None,
            _ => {
                let subject = state.data.subject();
                let remembered = is_remembered(state.remember, subject.as_deref(), base);
                let created = base.map_or(self.now, |base| base.created);
                Some(timeouts.of_kind(remembered, subject.is_some()).expires(created, self.now))
            }
        }
    }

    /// Hands the state to the commit, once. Later changes are refused.
    pub(crate) fn close(&self) -> Option<State<T>> {
        let mut stage = self.stage();
        let committed = match &*stage {
            Stage::Open(state) => Stage::Committed(state.arrival, Arc::clone(&state.data)),
            Stage::Committed(..) => return None,
        };
        match std::mem::replace(&mut *stage, committed) {
            Stage::Open(state) => Some(state),
            Stage::Committed(..) => None,
        }
    }
}

fn open<T>(state: State<T>) -> Mutex<Stage<T>> {
    Mutex::new(Stage::Open(state))
}

/// What the handlers have changed so far, on top of `fresh`.
fn rebased<T: SessionData>(state: &mut State<T>, fresh: Box<Base<T>>) -> State<T> {
    let unchanged = state.change == Change::Unchanged;
    let same_subject = |base: &Base<T>| {
        base.record.subject == fresh.record.subject && state.data.subject() == base.data.subject()
    };
    let Some(base) = state.base.as_deref().filter(|base| !unchanged && same_subject(base)) else {
        return State::resumed(fresh);
    };
    let data = match merged::<T>(&base.data, &state.data, &fresh.data) {
        Ok(data) => Arc::new(data),
        Err(error) => {
            log::error!("a change cannot be merged onto a session that was locked, it is dropped: {error}");
            return State::resumed(fresh);
        }
    };
    State { data, change: state.change, remember: state.remember, ..State::resumed(fresh) }
}

/// Whether a session is remembered: its login asked for it, and its subject has not changed since.
pub(crate) fn is_remembered(asked: bool, subject: Option<&str>, base: Option<&Record>) -> bool {
    let inherits = |base: &Record| base.remembered && base.subject.as_deref() == subject;
    subject.is_some() && (asked || base.is_some_and(inherits))
}

/// The change from `before` to `mine`, applied to `theirs`.
fn merged<T: SessionData>(before: &T, mine: &T, theirs: &T) -> serde_json::Result<T> {
    let text = |data: &T| serde_json::to_string(data);
    serde_json::from_str(&merge(&text(before)?, &text(mine)?, &text(theirs)?)?)
}

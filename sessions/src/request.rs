//! One session during one request: loaded at most once, shared by every guard, handed to the commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::SentChunks;
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::Arrival;
use crate::record::Record;
use crate::record::id::Id;
use crate::record::merge::merge;
use crate::record::timeouts::{Expires, RealmTimeouts};
use crate::store::Lock;

/// A session as it was loaded, and what the request's handlers have done to it since.
pub(crate) struct RequestSession<T> {
    /// The current time when it was loaded.
    pub(crate) now: UnixSeconds,
    /// The chunks that the browser sent.
    pub(crate) chunks: SentChunks,
    pub(crate) key_age: KeyAge,
    /// `None` unless a session was resumed.
    pub(crate) sizes: Option<Sizes>,
    /// Whether a guard has used it; one that is only read is not committed.
    used: AtomicBool,
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
    /// The genuine ticket that the browser sent of a session that is gone.
    pub(crate) dead: Option<Ticket>,
    pub(crate) data: Arc<T>,
    pub(crate) change: Change,
    /// This login asks to be remembered.
    pub(crate) remember: bool,
    /// What `destroy` has ended. Data set afterwards belongs to a new session.
    pub(crate) destroyed: Option<Destroyed>,
    /// The id that the session gets, where a form of this response needs it already.
    pub(crate) next_id: Option<Id>,
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
    Session(Ticket, Box<Record>),
    /// A session that was renewed a moment ago: what it has become ends.
    Superseded(Ticket),
}

/// A resumed session as it was loaded.
pub(crate) struct Base<T> {
    pub(crate) record: Record,
    pub(crate) ticket: Ticket,
    /// The record's data as `T` reads it.
    pub(crate) data: Arc<T>,
}

/// Why there is no session to resume, and what came instead.
pub(crate) struct Lost<T> {
    pub(crate) arrival: Arrival,
    /// The ticket, if its seal was genuine.
    pub(crate) ticket: Option<Ticket>,
    /// What an anonymous session held before it was renewed.
    pub(crate) left: Option<Arc<T>>,
}

impl<T> From<Arrival> for Lost<T> {
    fn from(arrival: Arrival) -> Lost<T> {
        Lost { arrival, ticket: None, left: None }
    }
}

impl<T: SessionData> State<T> {
    fn new(arrival: Arrival, data: Arc<T>) -> State<T> {
        State {
            arrival,
            base: None,
            dead: None,
            data,
            change: Change::Unchanged,
            remember: false,
            destroyed: None,
            next_id: None,
            lock: None,
        }
    }

    fn anonymous(lost: Lost<T>) -> State<T> {
        State { dead: lost.ticket, ..State::new(lost.arrival, lost.left.unwrap_or_default()) }
    }

    fn resumed(base: Box<Base<T>>) -> State<T> {
        let data = Arc::clone(&base.data);
        State { base: Some(base), ..State::new(Arrival::Resumed, data) }
    }

    /// The id of the browser's cookie, if its session was renewed a moment ago.
    fn superseded_id(&self) -> Option<Id> {
        let ticket = self.dead.as_ref().filter(|_| self.arrival == Arrival::Superseded)?;
        Id::from_text(ticket.text())
    }

    /// Whether this request has proven who the session's subject is.
    pub(crate) fn is_proven(&self, base: Option<&Record>) -> bool {
        let subject = self.data.subject();
        let before = base.and_then(|base| base.subject.as_deref());
        self.change == Change::Proven || (subject.is_some() && subject.as_deref() != before)
    }
}

impl<T: SessionData> RequestSession<T> {
    pub(crate) fn anonymous(now: UnixSeconds, lost: Lost<T>, chunks: SentChunks) -> Box<Self> {
        let state = Mutex::new(Stage::Open(State::anonymous(lost)));
        let used = AtomicBool::new(false);
        Box::new(RequestSession { now, chunks, key_age: KeyAge::Current, sizes: None, used, state })
    }

    pub(crate) fn resumed(
        now: UnixSeconds,
        base: Box<Base<T>>,
        key_age: KeyAge,
        chunks: SentChunks,
        sizes: Sizes,
    ) -> Box<Self> {
        let state = Mutex::new(Stage::Open(State::resumed(base)));
        let used = AtomicBool::new(false);
        Box::new(RequestSession { now, chunks, key_age, sizes: Some(sizes), used, state })
    }

    /// Has it committed with the response.
    pub(crate) fn use_it(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
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

    /// Another site's request must not remove a cookie that it came without.
    pub(crate) fn destroy(&self) {
        self.modify(|state| {
            if state.arrival == Arrival::Withheld {
                *state = State::anonymous(Arrival::Withheld.into());
                return;
            }
            let destroyed = match (state.base.take(), state.destroyed.take(), state.dead.take()) {
                (Some(base), _, _) => Destroyed::Session(base.ticket, Box::new(base.record)),
                (None, Some(before), _) => before,
                (None, None, Some(ticket)) if state.arrival == Arrival::Superseded => {
                    Destroyed::Superseded(ticket)
                }
                _ => Destroyed::Nothing,
            };
            let lock = state.lock.take();
            let arrival = state.arrival;
            *state = State { destroyed: Some(destroyed), lock, ..State::anonymous(arrival.into()) };
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

    /// The id that a form of this response's page belongs to. Opens a session that is otherwise empty. `None` once
    /// the response is under way.
    pub(crate) fn form_id(&self) -> Option<Id> {
        let mut stage = self.stage();
        let Stage::Open(state) = &mut *stage else { return None };
        if let Some(id) = state.next_id {
            return Some(id);
        }
        match &state.base {
            Some(base) if state.change < Change::Renewed && !state.is_proven(Some(&base.record)) => {
                return Some(base.record.id);
            }
            None if state.change < Change::Proven && state.destroyed.is_none() => {
                if let Some(id) = state.superseded_id() {
                    return Some(id);
                }
            }
            _ => {}
        }
        state.next_id = Id::random().ok();
        state.next_id
    }

    /// The id that the browser's cookie has proven, which its forms belong to.
    pub(crate) fn proven_id(&self) -> Option<Id> {
        match &*self.stage() {
            Stage::Open(state) => {
                let base = state.base.as_deref().map(|base| base.record.id);
                base.or_else(|| state.superseded_id())
            }
            Stage::Committed(..) => None,
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
    pub(crate) fn relock(&self, lock: Lock, fresh: Result<Box<Base<T>>, Lost<T>>) {
        self.modify(|state| {
            if state.destroyed.is_some() {
                state.lock = Some(lock);
                return;
            }
            *state = match fresh {
                Ok(fresh) => State { lock: Some(lock), ..rebased(state, fresh) },
                Err(lost) => State { lock: Some(lock), ..State::anonymous(lost) },
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
                let restarts = state.is_proven(base);
                let created = base.filter(|_| !restarts).map_or(self.now, |base| base.created);
                Some(timeouts.of_kind(remembered, subject.is_some()).expires(created, self.now))
            }
        }
    }

    /// Hands the state to the commit, once, unless there is nothing to do. Later changes are refused.
    pub(crate) fn close(&self, is_nothing: impl FnOnce(&State<T>) -> bool) -> Option<State<T>> {
        let mut stage = self.stage();
        let Stage::Open(state) = &*stage else { return None };
        let nothing = is_nothing(state);
        let committed = Stage::Committed(state.arrival, Arc::clone(&state.data));
        if nothing {
            *stage = committed;
            return None;
        }
        match std::mem::replace(&mut *stage, committed) {
            Stage::Open(state) => Some(state),
            Stage::Committed(..) => None,
        }
    }

    /// Forgets what could not be kept: the error page must not show somebody as signed in who is not.
    pub(crate) fn forget(&self) {
        let mut stage = self.stage();
        if let Stage::Committed(arrival, _) = *stage {
            *stage = Stage::Committed(arrival, Arc::default());
        }
    }
}

/// What the handlers have changed so far, on top of `fresh`.
fn rebased<T: SessionData>(state: &mut State<T>, fresh: Box<Base<T>>) -> State<T> {
    let (change, remember) = (state.change, state.remember);
    let Some(base) = state.base.take() else { return State::resumed(fresh) };
    if change == Change::Unchanged || base.record.subject != fresh.record.subject {
        return State::resumed(fresh);
    }
    if state.data.subject() != base.data.subject() {
        // A merge across a change of subject would mix two people's data.
        let data = Arc::clone(&state.data);
        return State { data, change, remember, ..State::resumed(fresh) };
    }
    match merged::<T>(&base.data, &state.data, &fresh.data) {
        Ok(data) => State { data: Arc::new(data), change, remember, ..State::resumed(fresh) },
        Err(error) => {
            log::error!("a change cannot be merged onto a session that was locked, it is dropped: {error}");
            State::resumed(fresh)
        }
    }
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

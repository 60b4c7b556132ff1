//! One session during one request: loaded at most once, shared by every guard, closed by the commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use once_cell::race::OnceBox;

use super::SessionData;
use super::clock::UnixSeconds;
use super::error::{Arrival, SessionError};
use super::expiry::{Deadlines, Lifetimes};
use super::keyring::KeyAge;
use super::merge::merge;
use super::record::{Id, Record};
use super::sent::SentChunks;
use super::store::Lock;
use super::ticket::Ticket;
use super::timing::Times;

/// What the handlers of this request have done to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    Unchanged,
    Modified,
    Renewed,
}

/// The sessions that this request has asked for, by realm. Most apps have one realm, and most requests
/// ask for one session: that one needs no allocation of its own.
pub(crate) struct RequestSessions<T> {
    first: Slot<T>,
    others: Box<[Slot<T>]>,
    pub(crate) times: Times,
    /// Keeps the stores open until this request has been answered.
    #[expect(dead_code, reason = "held for its Drop")]
    entered: Option<Arc<()>>,
}

/// Two guards that load at the same time both load; the first to finish counts.
pub(crate) type Slot<T> = OnceBox<Result<Live<T>, SessionError>>;

impl<T> RequestSessions<T> {
    pub(crate) fn new(realms: usize, entered: Arc<()>) -> Self {
        let others = (1..realms).map(|_| Slot::new()).collect();
        RequestSessions { others, entered: Some(entered), ..RequestSessions::unused() }
    }

    /// Those of a request that has asked for none.
    pub(crate) fn unused() -> Self {
        RequestSessions { first: Slot::new(), others: Box::default(), times: Times::default(), entered: None }
    }

    pub(crate) fn slot(&self, realm: usize) -> Option<&Slot<T>> {
        match realm {
            0 => Some(&self.first),
            _ => self.others.get(realm - 1),
        }
    }

    /// Those that were loaded, with the number of their realm.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = (usize, &Live<T>)> {
        let slots = std::iter::once(&self.first).chain(&self.others).enumerate();
        slots.filter_map(|(realm, slot)| Some((realm, slot.get()?.as_ref().ok()?)))
    }
}

/// What the browser sent of the session.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) cookies: usize,
    pub(crate) value: usize,
}

/// A session as it was loaded, and what has become of it since.
pub(crate) struct Live<T> {
    /// The moment that this request goes by.
    pub(crate) now: UnixSeconds,
    pub(crate) arrival: Arrival,
    pub(crate) key_age: KeyAge,
    pub(crate) sent: SentChunks,
    pub(crate) sizes: Option<Sizes>,
    state: Mutex<State<T>>,
}

pub(crate) struct State<T> {
    pub(crate) base: Option<Box<Base<T>>>,
    pub(crate) data: Arc<T>,
    pub(crate) change: Change,
    pub(crate) remember: bool,
    /// The subject has proven who they are, during this request.
    pub(crate) proven: bool,
    /// The session that `destroy` has ended; what is set afterwards belongs to a new one.
    pub(crate) ended: Option<Box<Record>>,
    pub(crate) destroyed: bool,
    pub(crate) lock: Option<Lock>,
    pub(crate) closed: bool,
}

/// A resumed session as it was loaded.
pub(crate) struct Base<T> {
    pub(crate) record: Record,
    pub(crate) ticket: Ticket,
    /// The record's data as `T` understands it, which is what changes are compared with: a field that the
    /// record lacks, or a map's own order, is none.
    pub(crate) data: Arc<T>,
}

impl<T: SessionData> State<T> {
    pub(crate) fn empty(lock: Option<Lock>) -> State<T> {
        State {
            base: None,
            data: Arc::default(),
            change: Change::Unchanged,
            remember: false,
            proven: false,
            ended: None,
            destroyed: false,
            lock,
            closed: false,
        }
    }

    pub(crate) fn resumed(base: Box<Base<T>>, lock: Option<Lock>) -> State<T> {
        let data = Arc::clone(&base.data);
        State { base: Some(base), data, ..State::empty(lock) }
    }

    /// Whether this login has the longer lifetime: a new subject must ask for it anew.
    pub(crate) fn remembered(&self, base: Option<&Record>) -> bool {
        let subject = self.data.subject();
        let inherits = |base: &Record| base.remembered && base.subject.as_deref() == subject.as_deref();
        subject.is_some() && (self.remember || base.is_some_and(inherits))
    }

    /// The record that a write at `now` keeps, as a change of `base` or as a new session.
    pub(crate) fn next_record(
        &self,
        base: Option<&Record>,
        id: Id,
        data: String,
        now: UnixSeconds,
    ) -> Record {
        let subject = self.data.subject().map(|subject| subject.into_owned());
        let proven = self.proven || base.and_then(|base| base.subject.as_ref()) != subject.as_ref();
        let before = base.and_then(|base| base.signed_in);
        Record {
            id,
            created: base.map_or(now, |base| base.created),
            seen: now,
            version: base.map_or(1, |base| base.version.saturating_add(1)),
            data,
            remembered: self.remembered(base),
            signed_in: subject.as_ref().and(if proven { Some(now) } else { before }),
            subject,
        }
    }
}

impl<T: SessionData> Live<T> {
    pub(crate) fn new(
        now: UnixSeconds,
        arrival: Arrival,
        key_age: KeyAge,
        sent: SentChunks,
        sizes: Option<Sizes>,
        state: State<T>,
    ) -> Live<T> {
        Live { now, arrival, key_age, sent, sizes, state: Mutex::new(state) }
    }

    /// No code of the app runs while this is held, so it is held briefly and never twice by one task.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn data(&self) -> Arc<T> {
        Arc::clone(&self.state().data)
    }

    /// Runs `change` on a copy and puts the copy in place. When `change` has itself changed the session
    /// through another guard, both changes are kept, field by field.
    pub(crate) fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let before = self.data();
        let mut after = T::clone(&before);
        let answer = change(&mut after);
        let mut state = self.state();
        if refuse_if_closed(&state) {
            return answer;
        }
        if !Arc::ptr_eq(&state.data, &before) {
            match merged::<T>(&before, &after, &state.data) {
                Ok(both) => after = both,
                Err(error) => {
                    log::error!("two changes of one session cannot be merged, the later one is kept: {error}")
                }
            }
        }
        state.data = Arc::new(after);
        state.change = state.change.max(Change::Modified);
        answer
    }

    pub(crate) fn renew(&self) {
        let mut state = self.state();
        if !refuse_if_closed(&state) {
            state.change = Change::Renewed;
        }
    }

    pub(crate) fn authenticated(&self) {
        let mut state = self.state();
        if !refuse_if_closed(&state) {
            state.change = Change::Renewed;
            state.proven = true;
        }
    }

    pub(crate) fn remember(&self) {
        let mut state = self.state();
        if !refuse_if_closed(&state) {
            state.remember = true;
            state.change = state.change.max(Change::Modified);
        }
    }

    pub(crate) fn destroy(&self) {
        let mut state = self.state();
        if !refuse_if_closed(&state) {
            let ended = state.base.take().map(|base| Box::new(base.record)).or(state.ended.take());
            let lock = state.lock.take();
            *state = State { ended, destroyed: true, ..State::empty(lock) };
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.state().lock.is_some()
    }

    /// Takes a lock that was got after the load, with the session as it was read under it. Changes
    /// already made are kept: the commit merges them.
    pub(crate) fn relock(&self, lock: Lock, fresh: Option<Box<Base<T>>>) {
        let mut state = self.state();
        state.lock = Some(lock);
        if let (Some(base), Change::Unchanged, false) = (fresh, state.change, state.destroyed) {
            state.data = Arc::clone(&base.data);
            state.base = Some(base);
        }
    }

    /// A look at the record as it was loaded; none for a new session.
    pub(crate) fn with_base<R>(&self, look: impl FnOnce(&Base<T>) -> R) -> Option<R> {
        self.state().base.as_deref().map(look)
    }

    /// When the session ends, counted from the response to this request.
    pub(crate) fn deadlines(&self, lifetimes: &Lifetimes) -> Option<Deadlines> {
        let (state, now) = (self.state(), self.now);
        match (&state.base, state.change) {
            (Some(base), Change::Unchanged) if !lifetimes.renewal_due(&base.record, now) => {
                Some(lifetimes.deadlines(&base.record))
            }
            (None, Change::Unchanged) => None,
            (base, _) => {
                let base = base.as_ref().map(|base| &base.record);
                let id = base.map_or_else(Id::random, |base| Ok(base.id)).ok()?;
                Some(lifetimes.deadlines(&state.next_record(base, id, String::new(), now)))
            }
        }
    }

    /// Hands the state to the commit. Whatever a guard that outlives the response still does to the
    /// session is refused.
    pub(crate) fn close(&self) -> Option<State<T>> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        let after = State { data: Arc::clone(&state.data), closed: true, ..State::empty(None) };
        Some(std::mem::replace(&mut state, after))
    }
}

fn refuse_if_closed<T>(state: &State<T>) -> bool {
    if state.closed {
        log::error!("a session was changed after its response was under way: the change is not kept");
    }
    state.closed
}

fn merged<T: SessionData>(before: &T, mine: &T, theirs: &T) -> serde_json::Result<T> {
    let text = |data: &T| serde_json::to_string(data);
    serde_json::from_str(&merge(&text(before)?, &text(mine)?, &text(theirs)?)?)
}

//! One session during one request: loaded at most once, shared by every guard, handed to the commit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::SentChunks;
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::Arrival;
use crate::events::RequestId;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::record::timeouts::{Expires, RealmTimeouts};
use crate::state::{Base, Change, Destroyed, KeptAt, Lost, State, id_of, is_remembered, merged, rebased};
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
    /// Its request's name, if anyone listens to events.
    pub(crate) request_id: Option<RequestId>,
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
    /// Guards that outlive the response can still read the data, and wait for the session's end.
    Committed(Arrival, Arc<T>, Option<Kept>),
}

/// Whose session it is, as the request's handlers have left it so far.
pub(crate) struct Owner<T> {
    pub(crate) subject: String,
    /// As it was loaded, if it was this subject's then.
    pub(crate) loaded: Option<Record>,
    /// The data as the subject has signed in with it.
    pub(crate) data: Arc<T>,
    /// The position in the ledger that it is sealed at.
    pub(crate) sealed_at: u64,
    /// Whether this request has proven who the subject is.
    pub(crate) is_proven: bool,
}

impl<T> Owner<T> {
    /// The hash of the id that the subject's session has in the store.
    pub(crate) fn id(&self) -> Option<IdHash> {
        self.loaded.as_ref().map(|record| IdHash::of(&record.id))
    }
}

/// A session as it is kept.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) record: Record,
    /// `None` if a cookie has it: then the record says it all.
    pub(crate) ticket: Option<Ticket>,
}

impl<T: SessionData> RequestSession<T> {
    pub(crate) fn anonymous(now: UnixSeconds, lost: Lost<T>, chunks: SentChunks) -> Box<Self> {
        let state = Mutex::new(Stage::Open(State::anonymous(lost)));
        let used = AtomicBool::new(false);
        Box::new(RequestSession {
            now,
            chunks,
            key_age: KeyAge::Current,
            sizes: None,
            request_id: None,
            used,
            state,
        })
    }

    pub(crate) fn resumed(
        now: UnixSeconds,
        base: Box<Base<T>>,
        arrival: Arrival,
        key_age: KeyAge,
        chunks: SentChunks,
        sizes: Sizes,
    ) -> Box<Self> {
        let state = Mutex::new(Stage::Open(State { arrival, ..State::resumed(base) }));
        let used = AtomicBool::new(false);
        Box::new(RequestSession { now, chunks, key_age, sizes: Some(sizes), request_id: None, used, state })
    }

    /// Has a sign-in of this request seal the position in the ledger that its node had reached before.
    pub(crate) fn at(mut self: Box<Self>, position: Option<u64>) -> Box<Self> {
        if let Stage::Open(state) = self.state.get_mut().unwrap_or_else(PoisonError::into_inner) {
            state.position = position;
        }
        self
    }

    /// Renews the session, and seals it at the entry that has ended the subject's other sessions. If it is another's in
    /// the end, it is sealed where that one signed in.
    pub(crate) fn keep_at(&self, kept_at: KeptAt) {
        self.modify(|state| {
            if let Some(Base { record, .. }) = state.base.as_deref_mut()
                && record.subject.as_ref() == Some(&kept_at.subject)
            {
                // That entry has not ended it.
                record.position = record.position.max(Some(kept_at.position));
            }
            state.kept_at = Some(kept_at);
            state.change = state.change.max(Change::Renewed);
        });
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
            Stage::Open(State { data, .. }) | Stage::Committed(_, data, _) => Arc::clone(data),
        }
    }

    pub(crate) fn arrival(&self) -> Arrival {
        match &*self.stage() {
            Stage::Open(State { arrival, .. }) | Stage::Committed(arrival, ..) => *arrival,
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
                let position = state.position;
                *state = State { position, ..State::anonymous(Arrival::Withheld.into()) };
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
            let State { arrival, position, .. } = *state;
            *state = State { destroyed: Some(destroyed), lock, position, ..State::anonymous(arrival.into()) };
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
            Some(base) if !state.renews(&base.record) => return Some(base.record.id),
            None if state.change < Change::Proven => {
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

    /// Whose session it is now. `None` while nobody is signed in, and once the response is under way.
    pub(crate) fn owner(&self) -> Option<Owner<T>> {
        let stage = self.stage();
        let Stage::Open(state) = &*stage else { return None };
        let base = state.base.as_deref();
        let loaded = base.map(|base| &base.record);
        let now = state.data.subject();
        let subject = now.as_deref().or_else(|| loaded?.subject.as_deref())?.to_owned();
        let is_proven = state.is_proven(loaded);
        let base = base.filter(|base| base.record.subject.as_ref() == Some(&subject));
        let loaded = base.map(|base| &base.record);
        Some(Owner {
            sealed_at: state.sealed_at(is_proven, loaded).max(state.kept_at(&subject)).unwrap_or(0),
            loaded: loaded.cloned(),
            data: Arc::clone(base.filter(|_| !is_proven).map_or(&state.data, |base| &base.data)),
            is_proven,
            subject,
        })
    }

    /// The id that the browser's cookie has proven, also of a session that is gone.
    pub(crate) fn came_with(&self) -> Option<Id> {
        match &*self.stage() {
            Stage::Open(State { base: Some(base), .. }) => Some(base.record.id),
            Stage::Open(State { dead: Some(ticket), .. }) => id_of(ticket),
            _ => None,
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(&*self.stage(), Stage::Open(State { lock: Some(_), .. }))
    }

    /// Takes the session's lock and the session as it was read under it. Changes made before are merged onto
    /// it, field by field. They are dropped if the session has ended, or now belongs to somebody else.
    pub(crate) fn relock(&self, lock: Lock, fresh: Result<Box<Base<T>>, Lost<T>>) {
        self.modify(|state| {
            if state.destroyed.is_none() {
                *state = match fresh {
                    Ok(fresh) => rebased(state, fresh),
                    Err(lost) => State::anonymous(lost),
                };
            }
            state.lock = Some(lock);
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
        let Stage::Open(state) = &mut *stage else { return None };
        let nothing = is_nothing(state);
        let (arrival, data) = (state.arrival, Arc::clone(&state.data));
        if nothing {
            let kept = state.base.take().map(|base| Kept { record: base.record, ticket: Some(base.ticket) });
            *stage = Stage::Committed(arrival, data, kept);
            return None;
        }
        match std::mem::replace(&mut *stage, Stage::Committed(arrival, data, None)) {
            Stage::Open(state) => Some(state),
            Stage::Committed(..) => None,
        }
    }

    /// Forgets what could not be kept: the error page must not show somebody as signed in who is not.
    pub(crate) fn forget(&self) {
        if let Stage::Committed(_, data, kept) = &mut *self.stage() {
            (*data, *kept) = (Arc::default(), None);
        }
    }

    /// Notes how the commit has kept it.
    pub(crate) fn keep(&self, record: Record, ticket: Option<Ticket>) {
        if let Stage::Committed(_, _, kept) = &mut *self.stage() {
            *kept = Some(Kept { record, ticket });
        }
    }

    /// The session as it is kept: as it was loaded, until the commit has kept it otherwise. `None` if there is none.
    pub(crate) fn kept(&self) -> Option<Kept> {
        match &*self.stage() {
            Stage::Open(State { base, .. }) => base
                .as_deref()
                .map(|base| Kept { record: base.record.clone(), ticket: Some(base.ticket.clone()) }),
            Stage::Committed(_, _, kept) => kept.clone(),
        }
    }
}

//! What the handlers of a request have left of its session.

use std::sync::Arc;

use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::Arrival;
use crate::record::Record;
use crate::record::id::Id;
use crate::record::merge::merge;
use crate::store::Lock;

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
    /// The position in the ledger that a sign-in of this request seals.
    pub(crate) position: Option<u64>,
    /// The entry that has ended a subject's other sessions: this one is sealed there.
    pub(crate) kept_at: Option<KeptAt>,
    pub(crate) lock: Option<Lock>,
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

/// A subject whose other sessions have ended, and the position of the entry.
pub(crate) struct KeptAt {
    pub(crate) subject: String,
    pub(crate) position: u64,
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
            position: None,
            kept_at: None,
            lock: None,
        }
    }

    pub(crate) fn anonymous(lost: Lost<T>) -> State<T> {
        State { dead: lost.ticket, ..State::new(lost.arrival, lost.left.unwrap_or_default()) }
    }

    pub(crate) fn resumed(base: Box<Base<T>>) -> State<T> {
        let data = Arc::clone(&base.data);
        State { base: Some(base), ..State::new(Arrival::Resumed, data) }
    }

    /// The id of the browser's cookie, if its session was renewed a moment ago.
    pub(crate) fn superseded_id(&self) -> Option<Id> {
        id_of(self.dead.as_ref().filter(|_| self.arrival == Arrival::Superseded)?)
    }

    /// Whether this request has proven who the session's subject is.
    pub(crate) fn is_proven(&self, base: Option<&Record>) -> bool {
        let subject = self.data.subject();
        let before = base.and_then(|base| base.subject.as_deref());
        self.change == Change::Proven || (subject.is_some() && subject.as_deref() != before)
    }

    /// Whether a session that was loaded gets a new id, as far as the handlers have gone.
    pub(crate) fn renews(&self, base: &Record) -> bool {
        let is_another = || self.data.subject().as_deref() != base.subject.as_deref();
        self.change >= Change::Renewed
            || (self.change != Change::Unchanged && (is_another() || self.is_newly_remembered(base)))
    }

    /// Whether a session that was loaded is remembered from now on. Its copies so far are not: they end earlier, and so
    /// does what a ledger keeps of their id.
    fn is_newly_remembered(&self, base: &Record) -> bool {
        self.remember && !base.remembered && self.data.subject().is_some()
    }

    /// The position of the entry that has ended the other sessions of this subject.
    pub(crate) fn kept_at(&self, subject: &str) -> Option<u64> {
        self.kept_at.as_ref().filter(|kept| kept.subject == subject).map(|kept| kept.position)
    }

    /// The position in the ledger that a session is sealed at, unless it has ended its subject's others. `before` is the
    /// session as it was, if it was this subject's.
    pub(crate) fn sealed_at(&self, is_proven: bool, before: Option<&Record>) -> Option<u64> {
        let before = before.and_then(|before| before.position);
        if is_proven { self.position.max(before) } else { before }
    }
}

/// The id of the session that a ticket is of. That of a server store is the id, that of a cookie the record.
pub(crate) fn id_of(ticket: &Ticket) -> Option<Id> {
    let id_of_record = || Record::decode(ticket.text()).ok().map(|record| record.id);
    Id::from_text(ticket.text()).or_else(id_of_record)
}

/// What the handlers have changed so far, on top of `fresh`.
pub(crate) fn rebased<T: SessionData>(state: &mut State<T>, fresh: Box<Base<T>>) -> State<T> {
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
pub(crate) fn merged<T: SessionData>(before: &T, mine: &T, theirs: &T) -> serde_json::Result<T> {
    let text = |data: &T| serde_json::to_string(data);
    serde_json::from_str(&merge(&text(before)?, &text(mine)?, &text(theirs)?)?)
}

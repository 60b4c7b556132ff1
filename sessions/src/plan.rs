//! What a commit has to write.

use crate::data::SessionData;
use crate::record::Record;
use crate::state::{Base, State};
use crate::told::Step;

/// What a commit has to write.
pub(crate) enum Plan<T> {
    Nothing,
    /// The session goes on as it is.
    Stay(Box<Base<T>>),
    /// Only `seen` moves, or the current key seals what a previous one did. The store is asked in any case, so
    /// that a session that has ended meanwhile is not sealed again.
    Touch(Box<Base<T>>, Record),
    Create(Record),
    /// New data, with or without a new id.
    Change(Box<Base<T>>, Record),
}

impl<T: SessionData> Plan<T> {
    /// Whether somebody has proven who they are.
    pub(crate) fn is_sign_in(&self, state: &State<T>) -> bool {
        match self {
            Plan::Create(record) => record.subject.is_some() && state.is_proven(None),
            Plan::Change(base, record) => record.subject.is_some() && state.is_proven(Some(&base.record)),
            Plan::Nothing | Plan::Stay(_) | Plan::Touch(..) => false,
        }
    }

    /// What listeners are told of it.
    pub(crate) fn step(&self, state: &State<T>) -> Step {
        match self {
            Plan::Create(record) => Step::new(None, record, state.is_proven(None)),
            Plan::Change(base, record) => {
                Step::new(Some(&base.record), record, state.is_proven(Some(&base.record)))
            }
            Plan::Nothing | Plan::Stay(_) | Plan::Touch(..) => Step::default(),
        }
    }
}

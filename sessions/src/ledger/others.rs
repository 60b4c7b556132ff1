//! Ending the other sessions of a subject, on behalf of one that may have ended meanwhile itself.

use super::entry::Entry;
use super::follow::PAGE;
use super::identity::Identity;
use super::node::Ledger;
use super::table::{Fate, Table};
use crate::data::Labels;
use crate::error::StoreError;
use crate::record::Record;

/// The session that ends its subject's others.
pub(crate) struct Own<'s> {
    pub(crate) subject: &'s str,
    /// As it was loaded; `None` if its subject has signed in with this request.
    pub(crate) loaded: Option<&'s Record>,
    pub(crate) labels: Labels<'s>,
    /// The position that it is sealed at.
    pub(crate) sealed_at: u64,
    /// Whether this request has proven who its subject is: then the subject's other sign-ins do not end it.
    pub(crate) is_proven: bool,
}

/// The end of a subject's sessions.
pub(crate) struct EndedOthers {
    /// The position of the entry.
    pub(crate) position: u64,
    /// Whether the session that asked for it goes on. If so, it has to be sealed at that position.
    pub(crate) goes_on: bool,
}

impl Ledger {
    /// Ends all sessions of a subject that were signed in before. `None` if all of them, `own` too, have ended since
    /// `own` was loaded: then nothing is entered, since what has been signed in meanwhile is not its to end.
    ///
    /// The log is read before, and what others have entered until this entry counts too. Only those who sign in between
    /// that reading and the entry are ended by a session that has ended just then.
    ///
    /// # Errors
    /// When the log does not answer: they may go on.
    pub(crate) async fn end_others(&self, own: &Own<'_>) -> Result<Option<EndedOthers>, StoreError> {
        self.catch_up().await?;
        let (reached, goes_on) = {
            let view = self.view();
            let Some((_, identity)) = &view.claim else { return Err(unread()) };
            if has_ended_all(&view.table, identity, own) {
                return Ok(None);
            }
            (view.reached(), !self.has_ended(&view.table, identity, own))
        };
        let position = self.end_subject(own.subject).await?;
        let goes_on = goes_on && !self.has_ended_between(reached, position, own).await?;
        Ok(Some(EndedOthers { position, goes_on }))
    }

    /// Whether an entry between these two positions has ended a session. The table does not say: of those for a subject
    /// it knows the last one.
    async fn has_ended_between(&self, after: u64, position: u64, own: &Own<'_>) -> Result<bool, StoreError> {
        let first = after.saturating_add(1);
        if first >= position {
            return Ok(false);
        }
        let lines = self.log.read(first, PAGE).await?.lines;
        let is_whole = lines.last().is_some_and(|(last, _)| *last >= position);
        let (mut between, now) = (Table::default(), self.clock.seconds());
        for (at, line) in lines.iter().filter(|(at, _)| *at < position) {
            if let Some(entry) = Entry::read(&line.body) {
                between.apply(*at, entry, line.until, now);
            }
        }
        let view = self.view();
        let Some((_, identity)) = &view.claim else { return Err(unread()) };
        Ok(!is_whole || has_ended_all(&between, identity, own) || self.has_ended(&between, identity, own))
    }

    /// Whether a session has ended by its id, its handle or one of its labels.
    fn has_ended(&self, table: &Table, identity: &Identity, own: &Own<'_>) -> bool {
        let by_itself = |record: &Record| {
            table.fate(identity.session(&record.id), self.clock.seconds()) == Fate::Ended
                || self.has_ended_by_handle(table, identity, record)
        };
        let by_label = |label| table.has_ended_label(identity.label(label), own.sealed_at);
        own.loaded.is_some_and(by_itself) || own.labels.iter().flatten().any(|label| by_label(label))
    }
}

/// Whether a session has ended with all others of its subject.
fn has_ended_all(table: &Table, identity: &Identity, own: &Own<'_>) -> bool {
    let subject = identity.subject(own.subject);
    if own.is_proven {
        table.has_revoked_all(subject, own.sealed_at)
    } else {
        table.has_ended_all(subject, own.sealed_at)
    }
}

fn unread() -> StoreError {
    StoreError::Failed("the ledger has not been read yet".into())
}

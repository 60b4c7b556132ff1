//! The next record of a session: what a request has changed, on top of what was there.

use crate::clock::UnixSeconds;
use crate::data::SessionData;
use crate::encoding::with_newer_fields;
use crate::failure::CommitError;
use crate::record::Record;
use crate::record::id::Id;
use crate::record::merge::merge;
use crate::state::{Base, Change, State, is_remembered};

/// The record that a write at `now` keeps, as a change of `base` or as a new session.
pub(crate) fn next_record<T: SessionData>(
    state: &State<T>,
    data: &T,
    base: Option<&Record>,
    id: Id,
    text: String,
    now: UnixSeconds,
) -> Record {
    let subject = data.subject().map(|subject| subject.into_owned());
    let changed = base.and_then(|base| base.subject.as_ref()) != subject.as_ref();
    let proven = subject.is_some() && (state.change == Change::Proven || changed);
    let before = base.and_then(|base| base.signed_in);
    let position = state.sealed_at(proven, base.filter(|_| !changed));
    let kept_at = subject.as_deref().and_then(|subject| state.kept_at(subject));
    Record {
        id,
        // Proof of identity restarts both timeouts (rule 5; SP 800-63B-4, 5.2).
        created: base.filter(|_| !proven).map_or(now, |base| base.created),
        seen: base.map_or(now, |base| now.max(base.seen)),
        version: base.map_or(1, |base| base.version.saturating_add(1)),
        data: text,
        remembered: is_remembered(state.remember, subject.as_deref(), base),
        signed_in: subject.as_ref().and(if proven { Some(now) } else { before }),
        position: subject.as_ref().and(position.max(kept_at)),
        subject,
    }
}

/// What to write after a conflict: their record with my changes. Where I change the subject, it is my record
/// whole: a merge would mix two people's data.
pub(crate) fn rebased<T: SessionData>(
    state: &State<T>,
    base: &Base<T>,
    mine: &Record,
    theirs: &Record,
    now: UnixSeconds,
) -> Result<Record, CommitError> {
    if mine.subject != base.record.subject {
        return Ok(next_record(state, &*state.data, Some(theirs), mine.id, mine.data.clone(), now));
    }
    let known = serde_json::to_string(&*base.data)?;
    // What this release does not know is no change of mine.
    let before = with_newer_fields::<T>(known.clone(), &base.record.data, &known);
    let text = merge(&before, &mine.data, &theirs.data)?;
    let both: T = serde_json::from_str(&text)?;
    Ok(next_record(state, &both, Some(theirs), mine.id, text, now))
}

/// Whether a write would change nothing but times and version.
pub(crate) fn is_same(next: &Record, theirs: &Record) -> bool {
    next.data == theirs.data
        && next.subject == theirs.subject
        && next.remembered == theirs.remembered
        && next.signed_in == theirs.signed_in
}

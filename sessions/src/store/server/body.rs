//! What stands in a row besides what the database looks at.
//!
//! A session's body is an `s` and the record without its id, its data last. A marker's body is an `m`, the hash of the id
//! that the session got, and, if the session was anonymous, its body.

use crate::record::Record;
use crate::record::id::IdHash;
use crate::record::wire::Fields;
use crate::store::Listed;

/// What a row stands for.
#[derive(Debug)]
pub(super) enum Body {
    Session(Fields),
    Marker { next: IdHash, left: Option<Fields> },
}

impl Fields {
    /// The session under this hash, in a list.
    pub(super) fn into_listed(self, id: IdHash) -> Listed {
        let Fields { created, seen, signed_in, remembered, data, .. } = self;
        Listed { id, created, seen, signed_in, remembered, data }
    }
}

/// The body of a session.
pub(super) fn of_session(record: &Record) -> String {
    let mut body = String::with_capacity(record.data.len() + 96);
    push_session(&mut body, record);
    body
}

/// The body of the marker that `old` leaves when it becomes `next`. A session with a subject leaves nothing.
pub(super) fn of_marker(next: &IdHash, old: Option<&Record>) -> String {
    let mut body = format!("m{}", next.to_text());
    if let Some(old) = old.filter(|old| old.subject.is_none()) {
        push_session(&mut body, old);
    }
    body
}

fn push_session(body: &mut String, record: &Record) {
    body.push('s');
    record.encode_fields_into(body);
}

/// Reads a body; `None` if this version did not write it.
pub(super) fn read(body: &str) -> Option<Body> {
    if let Some(fields) = body.strip_prefix('s') {
        return Fields::decode(fields).map(Body::Session);
    }
    let (next, left) = body.strip_prefix('m')?.split_at_checked(IdHash::TEXT)?;
    let left = if left.is_empty() { None } else { Some(Fields::decode(left.strip_prefix('s')?)?) };
    Some(Body::Marker { next: IdHash::from_text(next)?, left })
}

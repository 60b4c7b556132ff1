//! What stands in a row besides what the database looks at.
//!
//! A session's body is the JSON array `[created, seen, version, remembered, signed_in, subject]` after an `s`,
//! then the data. A marker's body is an `m`, the hash of the id that the session got, and, if the session was
//! anonymous, its body.

use crate::clock::UnixSeconds;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// What a row stands for.
#[derive(Debug)]
pub(super) enum Body {
    Session(Fields),
    Marker { next: IdHash, left: Option<Fields> },
}

/// A record without its id.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) created: UnixSeconds,
    pub(super) seen: UnixSeconds,
    pub(super) version: u32,
    pub(super) remembered: bool,
    pub(super) signed_in: Option<UnixSeconds>,
    pub(super) subject: Option<String>,
    pub(super) data: String,
}

impl Fields {
    pub(super) fn into_record(self, id: Id) -> Record {
        let Fields { created, seen, version, remembered, signed_in, subject, data } = self;
        Record { id, created, seen, version, data, remembered, signed_in, subject }
    }
}

/// The body of a session.
pub(super) fn of_session(record: &Record) -> String {
    let subject = record.subject.as_deref();
    let header = (record.created, record.seen, record.version, record.remembered, record.signed_in, subject);
    // Numbers, a flag and text always have an encoding.
    let header = serde_json::to_string(&header).unwrap_or_default();
    format!("s{header}{}", record.data)
}

/// The body of the marker that `old` leaves when it becomes `next`. A session with a subject leaves nothing.
pub(super) fn of_marker(next: &IdHash, old: Option<&Record>) -> String {
    let left = old.filter(|old| old.subject.is_none()).map(of_session);
    format!("m{}{}", next.to_text(), left.unwrap_or_default())
}

/// Reads a body; `None` if this version did not write it.
pub(super) fn read(body: &str) -> Option<Body> {
    if body.starts_with('s') {
        return session(body).map(Body::Session);
    }
    let (next, left) = body.strip_prefix('m')?.split_at_checked(IdHash::TEXT)?;
    let left = if left.is_empty() { None } else { Some(session(left)?) };
    Some(Body::Marker { next: IdHash::from_text(next)?, left })
}

type Header = (UnixSeconds, UnixSeconds, u32, bool, Option<UnixSeconds>, Option<String>);

fn session(body: &str) -> Option<Fields> {
    let text = body.strip_prefix('s')?;
    let mut rest = serde_json::Deserializer::from_str(text).into_iter::<Header>();
    let (created, seen, version, remembered, signed_in, subject) = rest.next()?.ok()?;
    let data = text.get(rest.byte_offset()..)?.to_owned();
    Some(Fields { created, seen, version, remembered, signed_in, subject, data })
}

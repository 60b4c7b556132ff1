//! A record as a server store keeps it: all of it but the id.

use super::{Listed, Written};
use crate::clock::UnixSeconds;
use crate::id_hash::IdHash;
use crate::record::{Id, Record};
use crate::ticket::Ticket;

/// What stands under the hash of an id.
#[derive(Clone, PartialEq)]
pub(super) struct Row {
    pub(super) created: UnixSeconds,
    pub(super) seen: UnixSeconds,
    pub(super) version: u32,
    pub(super) remembered: bool,
    pub(super) signed_in: Option<UnixSeconds>,
    pub(super) subject: Option<String>,
    pub(super) data: String,
}

impl From<&Record> for Row {
    fn from(record: &Record) -> Row {
        Row {
            created: record.created,
            seen: record.seen,
            version: record.version,
            remembered: record.remembered,
            signed_in: record.signed_in,
            subject: record.subject.clone(),
            data: record.data.clone(),
        }
    }
}

impl Row {
    pub(super) fn into_record(self, id: Id) -> Record {
        let Row { created, seen, version, remembered, signed_in, subject, data } = self;
        Record { id, created, seen, version, data, remembered, signed_in, subject }
    }

    pub(super) fn into_listed(self, id: IdHash) -> Listed {
        let Row { created, seen, remembered, signed_in, data, .. } = self;
        Listed { id, created, seen, signed_in, remembered, data }
    }
}

/// The ticket of a server store is the id and nothing else.
pub(super) fn saved(record: &Record) -> Written {
    Written::Saved(Ticket::new(&record.id.to_text()))
}

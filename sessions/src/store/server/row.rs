//! A record as a server store keeps it: all of it but the id.

use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::store::{Listed, Written};

/// What stands under the hash of an id.
#[derive(Clone, PartialEq)]
pub(in crate::store) struct Row {
    pub(in crate::store) created: UnixSeconds,
    pub(in crate::store) seen: UnixSeconds,
    pub(in crate::store) version: u32,
    pub(in crate::store) remembered: bool,
    pub(in crate::store) signed_in: Option<UnixSeconds>,
    pub(in crate::store) subject: Option<String>,
    pub(in crate::store) data: String,
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
    pub(in crate::store) fn into_record(self, id: Id) -> Record {
        let Row { created, seen, version, remembered, signed_in, subject, data } = self;
        Record { id, created, seen, version, data, remembered, signed_in, subject }
    }

    pub(in crate::store) fn into_listed(self, id: IdHash) -> Listed {
        let Row { created, seen, remembered, signed_in, data, .. } = self;
        Listed { id, created, seen, signed_in, remembered, data }
    }
}

/// The ticket of a server store is the id and nothing else.
pub(in crate::store) fn saved(record: &Record) -> Written {
    Written::Saved(Ticket::new(&record.id.to_text()))
}

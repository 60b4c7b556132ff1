//! Rows of records: what stands in them, sealed where the settings ask for it.

use std::sync::OnceLock;

use super::backend::{Row, SubjectHash};
use super::body::{self, Body, of_marker, of_session};
use super::seal::Sealer;
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::record::wire::Fields;
use crate::store::{RENEWAL_GRACE, StoreOptions};

/// Writes and reads the rows of a namespace.
pub(super) struct Rows {
    namespace: String,
    options: OnceLock<StoreOptions>,
    /// What anonymous rows are filed under where their number is bounded.
    anonymous: SubjectHash,
    /// What [`Rows::place`] changes.
    mask: IdHash,
}

impl Rows {
    pub(super) fn new(namespace: &str) -> Rows {
        let anonymous = SubjectHash::of_anonymous(namespace);
        let mask = IdHash::of_namespace(namespace);
        Rows { namespace: namespace.to_owned(), options: OnceLock::new(), anonymous, mask }
    }

    /// Where the row of a session is, by the hash of its id. Each namespace has another place for it, so that no step meets
    /// a row of another one, whatever is in that row.
    pub(super) fn place(&self, id: &IdHash) -> IdHash {
        id.xor(&self.mask)
    }

    /// The hash of the id of the session whose row is at a place.
    pub(super) fn id_at(&self, place: &IdHash) -> IdHash {
        place.xor(&self.mask)
    }

    /// The place of a ticket's row; `None` if the ticket is not an id.
    pub(super) fn place_of_ticket(&self, ticket: &str) -> Option<IdHash> {
        IdHash::of_ticket(ticket).map(|id| self.place(&id))
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Takes the realm's options, before the store starts.
    pub(super) fn set_options(&self, options: StoreOptions) {
        let _ = self.options.set(options);
    }

    /// The app's keys, if the store has been given them.
    pub(super) fn sealer(&self) -> Option<&Sealer> {
        self.options.get().map(|options| &options.sealer)
    }

    /// What seals the rows, if anything does.
    fn at_rest(&self) -> Option<&Sealer> {
        self.options.get().filter(|options| options.seal_at_rest).map(|options| &options.sealer)
    }

    /// How many anonymous rows there may be, and what they are filed under.
    pub(super) fn anonymous_bound(&self) -> Option<(u64, &SubjectHash)> {
        Some((self.options.get()?.max_anonymous?, &self.anonymous))
    }

    pub(super) fn subject(&self, subject: &str) -> SubjectHash {
        SubjectHash::of(&self.namespace, subject)
    }

    pub(super) fn session(
        &self,
        id: &IdHash,
        record: &Record,
        expires: UnixSeconds,
    ) -> Result<Row, StoreError> {
        let subject = match &record.subject {
            Some(subject) => Some(self.subject(subject)),
            None => self.anonymous_bound().map(|(_, anonymous)| *anonymous),
        };
        let body = self.sealed(id, of_session(record))?;
        Ok(Row { version: record.version, seen: record.seen, expires, subject, body })
    }

    /// The marker under `id` of a session that is `next` from now on; `old` is what it was.
    pub(super) fn marker(
        &self,
        id: &IdHash,
        next: &IdHash,
        old: Option<&Record>,
        now: UnixSeconds,
    ) -> Result<Row, StoreError> {
        let body = self.sealed(id, of_marker(next, old))?;
        let expires = now.saturating_add(RENEWAL_GRACE);
        Ok(Row { version: 0, seen: now, expires, subject: None, body })
    }

    /// The marker of a row, leading to `next`: with what is left of the old session, for as long as before.
    pub(super) fn leading_to(
        &self,
        next: &IdHash,
        ticket: &str,
        id: &IdHash,
        row: Row,
    ) -> Result<Option<Row>, StoreError> {
        let (seen, expires) = (row.seen, row.expires);
        let Some(Body::Marker { left, .. }) = self.opened(id, row) else { return Ok(None) };
        let old = Id::from_text(ticket).and_then(|id| Some(left?.into_record(id)));
        let body = self.sealed(id, of_marker(next, old.as_ref()))?;
        Ok(Some(Row { version: 0, seen, expires, subject: None, body }))
    }

    fn sealed(&self, id: &IdHash, body: String) -> Result<Vec<u8>, StoreError> {
        match self.at_rest() {
            Some(sealer) => sealer.seal(id, &body),
            None => Ok(body.into_bytes()),
        }
    }

    /// The text that [`Rows::sealed`] was given; `None` if no key of today opens it.
    fn text(&self, id: &IdHash, body: Vec<u8>) -> Option<String> {
        match self.at_rest() {
            Some(sealer) => sealer.open(id, body).map(|(text, _)| text),
            None => String::from_utf8(body).ok(),
        }
    }

    /// What a row holds; `None` if this version, or the keys of today, cannot read it.
    pub(super) fn opened(&self, id: &IdHash, row: Row) -> Option<Body> {
        let text = self.text(id, row.body)?;
        match body::read(&text)? {
            // A touch moves the row's own time alone.
            Body::Session(fields) => Some(Body::Session(Fields { seen: row.seen, ..fields })),
            marker => Some(marker),
        }
    }

    /// Whether a row is a session of this namespace, by what it is filed under and the subject that stands in it: several
    /// namespaces may share a table. An anonymous session belongs to none.
    pub(super) fn owns(&self, filed_under: Option<SubjectHash>, fields: &Fields) -> bool {
        let subject = fields.subject.as_deref().map(|subject| self.subject(subject));
        subject.is_some() && subject == filed_under
    }

    /// Whether a row is this record, as it was written.
    pub(super) fn is_of(&self, id: &IdHash, row: Row, record: &Record) -> bool {
        row.version == record.version && self.text(id, row.body).as_deref() == Some(&*of_session(record))
    }
}

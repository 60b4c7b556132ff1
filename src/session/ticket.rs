//! The short text that the cookie carries inside its encryption.

use std::fmt;

use super::record::Record;
use super::seal::{NONCE_BYTES, TAG_BYTES};

/// What a [`Store`](super::Store) hands out for a session and takes back with the next request. For
/// the cookie store it is the whole record; for a server store it is the session's id.
///
/// It stands in a buffer that has room for the seal around it, so that sealing and opening copy nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(Vec<u8>);

impl Ticket {
    /// A ticket of this text.
    pub fn new(text: &str) -> Ticket {
        let mut buffer = Ticket::buffer(text.len());
        buffer.extend_from_slice(text.as_bytes());
        Ticket(buffer)
    }

    /// A ticket of the record's whole wire form.
    pub fn of_record(record: &Record) -> Ticket {
        let mut buffer = Ticket::buffer(record.data.len() + 128);
        record.encode_into(&mut buffer);
        Ticket(buffer)
    }

    /// The text.
    pub fn text(&self) -> &str {
        str::from_utf8(self.0.get(NONCE_BYTES..).unwrap_or_default()).unwrap_or_default()
    }

    /// What an opened seal leaves: the nonce's place, then the text. None unless the text is UTF-8.
    pub(crate) fn from_opened(buffer: Vec<u8>) -> Option<Ticket> {
        str::from_utf8(buffer.get(NONCE_BYTES..)?).ok()?;
        Some(Ticket(buffer))
    }

    /// The buffer that a seal is made in.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.0
    }

    /// How many bytes the sealed ticket takes, before base64.
    pub(crate) fn sealed_bytes(&self) -> usize {
        self.0.len() + TAG_BYTES
    }

    fn buffer(text_bytes: usize) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(NONCE_BYTES + text_bytes + TAG_BYTES);
        buffer.resize(NONCE_BYTES, 0);
        buffer
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({} bytes)", self.text().len())
    }
}

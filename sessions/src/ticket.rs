//! The short text that the cookie carries inside its encryption.

use std::fmt;

use super::record::Record;
use super::seal::{NONCE_BYTES, TAG_BYTES};

/// What a [`Store`](super::Store) hands out for a session and takes back with the next request. For
/// the cookie store it is the whole record; for a server store it is the session's id.
///
/// It stands in a buffer that has room for the seal around it, so that sealing and opening copy nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

/// Where the nonce goes.
const NONCE_PLACE: &str = "            ";
const _: () = assert!(NONCE_PLACE.len() == NONCE_BYTES);

impl Ticket {
    /// A ticket of this text.
    pub fn new(text: &str) -> Ticket {
        let mut buffer = String::with_capacity(NONCE_BYTES + text.len() + TAG_BYTES);
        buffer.push_str(NONCE_PLACE);
        buffer.push_str(text);
        Ticket(buffer)
    }

    /// A ticket of the record's whole wire form.
    pub fn of_record(record: &Record) -> Ticket {
        let mut buffer = String::with_capacity(NONCE_BYTES + record.data.len() + 128);
        buffer.push_str(NONCE_PLACE);
        record.encode_into(&mut buffer);
        Ticket(buffer)
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get(NONCE_BYTES..).unwrap_or_default()
    }

    /// What an opened seal leaves: the nonce, then the text. None unless the text is UTF-8.
    pub(crate) fn from_opened(mut buffer: Vec<u8>) -> Option<Ticket> {
        buffer.first_chunk_mut::<NONCE_BYTES>()?.copy_from_slice(NONCE_PLACE.as_bytes());
        String::from_utf8(buffer).ok().map(Ticket)
    }

    /// The buffer that a seal is made in.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// How many bytes the sealed ticket takes, before base64.
    pub(crate) fn sealed_bytes(&self) -> usize {
        self.0.len() + TAG_BYTES
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({} bytes)", self.text().len())
    }
}

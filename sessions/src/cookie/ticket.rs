//! The short text that the cookie carries inside its encryption.

use std::fmt;

use super::seal::{NONCE_BYTES, TAG_BYTES};

/// What a [`Store`](crate::store::Store) hands out for a session and gets back with the next request: for the
/// cookie store the whole record, for a server store the session's id.
///
/// Its buffer has room for the seal around the text, so that sealing and opening copy nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

/// Keeps the nonce's place.
const NONCE_PLACE: &str = "            ";
const _: () = assert!(NONCE_PLACE.len() == NONCE_BYTES);

impl Ticket {
    /// A ticket of this text.
    pub fn new(text: &str) -> Ticket {
        Ticket::written(text.len(), |buffer| buffer.push_str(text))
    }

    /// A ticket whose text, of about `bytes`, is what `write` appends.
    pub(crate) fn written(bytes: usize, write: impl FnOnce(&mut String)) -> Ticket {
        let mut buffer = String::with_capacity(NONCE_BYTES + bytes + TAG_BYTES);
        buffer.push_str(NONCE_PLACE);
        write(&mut buffer);
        Ticket(buffer)
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get(NONCE_BYTES..).unwrap_or_default()
    }

    /// Takes what an opened seal leaves: the nonce, then the text. `None` unless the text is UTF-8.
    pub(crate) fn from_opened(mut buffer: Vec<u8>) -> Option<Ticket> {
        buffer.first_chunk_mut::<NONCE_BYTES>()?.copy_from_slice(NONCE_PLACE.as_bytes());
        String::from_utf8(buffer).ok().map(Ticket)
    }

    /// The buffer to seal in.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// The length of the sealed ticket in bytes, before base64.
    pub(crate) fn sealed_bytes(&self) -> usize {
        self.0.len() + TAG_BYTES
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({} bytes)", self.text().len())
    }
}

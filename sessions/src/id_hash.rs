//! What a store keeps of an id.

use std::fmt;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::record::Id;

/// The SHA-256 of an [`Id`]: what a server store keeps instead of it, so that whoever reads the store
/// can open no session. It is the name of a session for lists and for ending it, not a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdHash([u8; IdHash::BYTES]);

impl IdHash {
    /// How long a hash is.
    pub const BYTES: usize = 32;
    /// How long it is as text.
    pub const TEXT: usize = 43;

    /// The hash of an id.
    pub fn of(id: &Id) -> IdHash {
        IdHash(Sha256::digest(id.as_bytes()).into())
    }

    /// The hash of the id that a ticket of a server store is; none when it is no id.
    ///
    /// ```
    /// use sealed_sessions::{Id, IdHash};
    ///
    /// let id = Id::random().unwrap();
    /// assert_eq!(IdHash::of_ticket(&id.to_text()), Some(IdHash::of(&id)));
    /// assert_eq!(IdHash::of_ticket("'; DROP TABLE sessions"), None);
    /// ```
    pub fn of_ticket(ticket: &str) -> Option<IdHash> {
        Id::from_text(ticket).as_ref().map(IdHash::of)
    }

    /// The hash of these bits.
    pub fn from_bytes(bytes: [u8; IdHash::BYTES]) -> IdHash {
        IdHash(bytes)
    }

    /// The hash of this text, as [`IdHash::to_text`] writes it.
    pub fn from_text(text: &str) -> Option<IdHash> {
        let mut bytes = [0; IdHash::BYTES];
        let whole = text.len() == IdHash::TEXT
            && URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(&mut bytes)).is_ok();
        whole.then_some(IdHash(bytes))
    }

    /// The hash as 43 characters of base64url.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(self.0)
    }

    /// The bits themselves.
    pub fn as_bytes(&self) -> &[u8; IdHash::BYTES] {
        &self.0
    }
}

impl fmt::Debug for IdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdHash(..)")
    }
}

//! What identifies a session: an [`Id`], and the [`IdHash`] that a store keeps of it.

use std::fmt;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};

/// A session's id: 128 random bits from the operating system (ASVS 5.0, 7.2.3).
///
/// It is a credential wherever a store keeps sessions by it, so `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; Id::BYTES]);

impl Id {
    /// The length of an id.
    pub const BYTES: usize = 16;
    /// The length of its text.
    pub(crate) const TEXT: usize = 22;

    /// A new id.
    ///
    /// # Errors
    /// When the operating system has no random bits to give.
    pub fn random() -> Result<Id, getrandom::Error> {
        let mut bytes = [0; Id::BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Id(bytes))
    }

    /// What a store locks while somebody signs in as this subject in the realm of this cookie. No session has it.
    pub(crate) fn of_turn(cookie: &str, subject: &str) -> Id {
        let hash = sha256(&[b"sealed-sessions sign-in\0", cookie.as_bytes(), b"\0", subject.as_bytes()]);
        let mut bytes = [0; Id::BYTES];
        bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
        Id(bytes)
    }

    /// The id of these bits.
    pub fn from_bytes(bytes: [u8; Id::BYTES]) -> Id {
        Id(bytes)
    }

    /// Reads an id as [`Id::to_text`] writes it.
    ///
    /// ```
    /// use sealed_sessions::store::Id;
    ///
    /// let id = Id::random().unwrap();
    /// assert_eq!(Id::from_text(&id.to_text()), Some(id));
    /// assert_eq!(Id::from_text("admin"), None);
    /// ```
    pub fn from_text(text: &str) -> Option<Id> {
        let mut bytes = [0; Id::BYTES];
        let decoded = text.len() == Id::TEXT
            && URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(&mut bytes)).is_ok();
        decoded.then_some(Id(bytes))
    }

    /// The id as 22 characters of base64url.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(self.0)
    }

    /// Appends [`Id::to_text`] to `text`.
    pub(crate) fn push_to(self, text: &mut String) {
        URL_SAFE_NO_PAD.encode_append(self.0, text);
    }

    /// The bits themselves.
    pub fn as_bytes(&self) -> &[u8; Id::BYTES] {
        &self.0
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

/// The SHA-256 of an [`Id`]: what a server store keeps instead of it, so that nobody who reads the store
/// can open a session. It names a session in a list and when it is deleted; it is not a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdHash([u8; IdHash::BYTES]);

impl IdHash {
    /// The length of a hash.
    pub const BYTES: usize = 32;
    /// The length of its text.
    pub const TEXT: usize = 43;

    /// The hash of an id.
    pub fn of(id: &Id) -> IdHash {
        IdHash(sha256(&[id.as_bytes()]))
    }

    /// Where a store says whose a namespace is. No id has this hash, since none is as long.
    pub(crate) fn of_namespace(namespace: &str) -> IdHash {
        IdHash(sha256(&[b"sealed-sessions namespace\0", namespace.as_bytes()]))
    }

    /// The hash of the id in a server store's ticket; `None` if the ticket is not an id.
    ///
    /// ```
    /// use sealed_sessions::store::{Id, IdHash};
    ///
    /// let id = Id::random().unwrap();
    /// assert_eq!(IdHash::of_ticket(&id.to_text()), Some(IdHash::of(&id)));
    /// assert_eq!(IdHash::of_ticket("'; DROP TABLE sessions"), None);
    /// ```
    pub fn of_ticket(ticket: &str) -> Option<IdHash> {
        Id::from_text(ticket).as_ref().map(IdHash::of)
    }

    /// These bits, each one changed that is set in the mask. Twice, it is as it was.
    pub(crate) fn xor(&self, mask: &IdHash) -> IdHash {
        let mut bytes = self.0;
        bytes.iter_mut().zip(mask.0).for_each(|(byte, mask)| *byte ^= mask);
        IdHash(bytes)
    }

    /// The hash of these bits.
    pub fn from_bytes(bytes: [u8; IdHash::BYTES]) -> IdHash {
        IdHash(bytes)
    }

    /// Reads a hash as [`IdHash::to_text`] writes it.
    pub fn from_text(text: &str) -> Option<IdHash> {
        let mut bytes = [0; IdHash::BYTES];
        let decoded = text.len() == IdHash::TEXT
            && URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(&mut bytes)).is_ok();
        decoded.then_some(IdHash(bytes))
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

/// The SHA-256 of these parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

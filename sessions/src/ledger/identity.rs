//! Whose log this is, and the key that its entries are hashed with.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use siphasher::sip::SipHasher13;

use crate::cookie::keyring::KeyAge;
use crate::error::StoreError;
use crate::record::id::{Id, IdHash};
use crate::store::Sealer;

/// What a log is known by: random bits that it is made with. Half of them are the key of its hashes (SipHash-1-3, as in
/// Rust's own tables).
#[derive(Clone, Copy)]
pub(super) struct Identity {
    bytes: [u8; Identity::BYTES],
    hasher: SipHasher13,
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        self.bytes == other.bytes
    }
}

impl Identity {
    const BYTES: usize = 32;
    const TEXT: usize = 43;

    pub(super) fn random() -> Result<Identity, StoreError> {
        let mut bytes = [0; Identity::BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Failed(format!("no random bits: {error}")))?;
        Ok(Identity::of(bytes))
    }

    fn of(bytes: [u8; Identity::BYTES]) -> Identity {
        let key = bytes.first_chunk().unwrap_or(&[0; 16]);
        Identity { bytes, hasher: SipHasher13::new_with_key(key) }
    }

    /// The claim that is kept in the log. Only the app's keys open it.
    pub(super) fn sealed(&self, sealer: &Sealer, namespace: &str) -> Result<Vec<u8>, StoreError> {
        sealer.seal(&place(namespace), &URL_SAFE_NO_PAD.encode_to_string(self.bytes))
    }

    /// Reads a claim, and says how old the key is that opened it. `None` if no key of the app does.
    pub(super) fn open(claim: &[u8], sealer: &Sealer, namespace: &str) -> Option<(Identity, KeyAge)> {
        let (text, age) = sealer.open(&place(namespace), claim.to_owned())?;
        let mut bytes = [0; Identity::BYTES];
        let decoded = text.len() == Identity::TEXT
            && URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(&mut bytes)).is_ok();
        decoded.then(|| (Identity::of(bytes), age))
    }

    pub(super) fn session(&self, id: &Id) -> u64 {
        self.hasher.hash(id.as_bytes())
    }

    pub(super) fn subject(&self, subject: &str) -> u64 {
        self.hasher.hash(subject.as_bytes())
    }

    pub(super) fn label(&self, label: &str) -> u64 {
        self.hasher.hash(label.as_bytes())
    }

    pub(super) fn handle(&self, handle: &str) -> u64 {
        self.hasher.hash(handle.as_bytes())
    }
}

/// What a claim is bound to, so that one that was copied from another namespace does not open.
fn place(namespace: &str) -> IdHash {
    IdHash::of_namespace(&format!("ledger {namespace}"))
}

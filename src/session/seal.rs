//! One sealing key: AES-256-GCM as `cookie::PrivateJar` does it, byte for byte.
//!
//! A sealed value is `nonce | ciphertext | tag`, with the associated data that the caller names. What
//! differs from the jar is that the key schedule is made once, and that both ways work in one buffer.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};

use super::error::Invalid;

/// Bytes of random nonce before the ciphertext.
pub const NONCE_BYTES: usize = 12;
/// Bytes of authentication tag after it.
pub const TAG_BYTES: usize = 16;

/// A key with its schedule. Has no `Debug`: there is nothing of it to show.
pub(crate) struct SealingKey(Aes256Gcm);

impl SealingKey {
    pub(crate) fn new(key: &[u8; 32]) -> SealingKey {
        SealingKey(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key)))
    }

    /// Seals what stands in `buffer` after the first [`NONCE_BYTES`], which are the nonce's place.
    /// The nonce is random (SP 800-38D, 8.2.2): a key is good for 2³² seals.
    pub(crate) fn seal(&self, associated: &[u8], buffer: &mut Vec<u8>) -> Result<(), SealFailed> {
        let Some((nonce, text)) = buffer.split_first_chunk_mut::<NONCE_BYTES>() else {
            return Err(SealFailed);
        };
        getrandom::fill(nonce).map_err(|_| SealFailed)?;
        let tag = self
            .0
            .encrypt_in_place_detached(Nonce::from_slice(nonce), associated, text)
            .map_err(|_| SealFailed)?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens `sealed` in place and cuts the tag off. On failure `sealed` is as it was, so that
    /// another key can be tried.
    pub(crate) fn open(&self, associated: &[u8], sealed: &mut Vec<u8>) -> Result<(), Invalid> {
        let text_end = sealed.len().checked_sub(TAG_BYTES).ok_or(Invalid::Malformed)?;
        let (body, tag) = sealed.split_at_mut(text_end);
        let (nonce, text) = body.split_first_chunk_mut::<NONCE_BYTES>().ok_or(Invalid::Malformed)?;
        // The tag is checked before a byte is changed.
        self.0
            .decrypt_in_place_detached(Nonce::from_slice(nonce), associated, text, Tag::from_slice(tag))
            .map_err(|_| Invalid::Seal)?;
        sealed.truncate(text_end);
        Ok(())
    }
}

/// The operating system gave no random bits, or the text is beyond what AES-GCM seals at once.
#[derive(Debug)]
pub(crate) struct SealFailed;

//! One sealing key: AES-256-GCM as `cookie::PrivateJar` does it, byte for byte.
//!
//! A sealed value is `nonce | ciphertext | tag`, with the associated data that the caller names. Unlike the
//! jar, this makes the key schedule once and works in one buffer in both directions.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::error::Invalid;

/// Bytes of random nonce before the ciphertext.
pub const NONCE_BYTES: usize = 12;
/// Bytes of authentication tag after it.
pub const TAG_BYTES: usize = 16;

/// A key with its schedule. It has no `Debug`, since there is nothing to show.
pub(crate) struct SealingKey(LessSafeKey);

impl SealingKey {
    pub(crate) fn new(key: &[u8; 32]) -> Option<SealingKey> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| SealingKey(LessSafeKey::new(key)))
    }

    /// Seals what `buffer` holds after the first [`NONCE_BYTES`], which are overwritten with the nonce.
    /// The nonce is random (SP 800-38D, 8.2.2): a key is good for 2³² seals.
    pub(crate) fn seal(&self, associated: &[u8], buffer: &mut Vec<u8>) -> Result<(), SealFailed> {
        let Some((nonce, text)) = buffer.split_first_chunk_mut::<NONCE_BYTES>() else {
            return Err(SealFailed);
        };
        getrandom::fill(nonce).map_err(|_| SealFailed)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag =
            self.0.seal_in_place_separate_tag(nonce, Aad::from(associated), text).map_err(|_| SealFailed)?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens `sealed` in place and cuts off the tag. On failure the content of `sealed` is unspecified.
    pub(crate) fn open(&self, associated: &[u8], sealed: &mut Vec<u8>) -> Result<(), Invalid> {
        let (nonce, text) = sealed.split_first_chunk_mut::<NONCE_BYTES>().ok_or(Invalid::Malformed)?;
        if text.len() < TAG_BYTES {
            return Err(Invalid::Malformed);
        }
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(associated), text).map_err(|_| Invalid::Seal)?;
        sealed.truncate(sealed.len() - TAG_BYTES);
        Ok(())
    }
}

/// The operating system gave no random bits, or the text is beyond what AES-GCM seals at once.
#[derive(Debug)]
pub(crate) struct SealFailed;

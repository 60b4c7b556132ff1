//! One sealing key: AES-256-GCM as `cookie::PrivateJar` does it, byte for byte.
//!
//! A sealed value is `nonce | ciphertext | tag`, with the associated data that the caller names. Unlike the
//! jar, this makes the key schedule once and works in one buffer in both directions.

use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::error::Invalid;

/// Bytes of random nonce before the ciphertext.
pub const NONCE_BYTES: usize = 12;
/// Bytes of authentication tag after it.
pub const TAG_BYTES: usize = 16;

/// With random nonces a key is good for 2³² seals (SP 800-38D, 8.3). A process warns from a quarter of them on: there
/// may be others.
const MANY_SEALS: u64 = 1 << 30;
/// How many seals lie between two warnings.
const WARNING_INTERVAL: u64 = 1 << 26;

/// A key with its schedule. It has no `Debug`, since there is nothing to show.
pub(crate) struct SealingKey {
    key: LessSafeKey,
    /// How often this process has sealed with it.
    seals: AtomicU64,
}

impl SealingKey {
    pub(crate) fn new(key: &[u8; 32]) -> Option<SealingKey> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(SealingKey::derived)
    }

    /// A key that was derived from another.
    pub(super) fn derived(key: UnboundKey) -> SealingKey {
        SealingKey { key: LessSafeKey::new(key), seals: AtomicU64::new(0) }
    }

    /// Seals what `buffer` holds after the first [`NONCE_BYTES`], which are overwritten with the nonce.
    /// The nonce is random (SP 800-38D, 8.2.2).
    pub(crate) fn seal(&self, associated: &[u8], buffer: &mut Vec<u8>) -> Result<(), SealFailed> {
        let Some((nonce, text)) = buffer.split_first_chunk_mut::<NONCE_BYTES>() else {
            return Err(SealFailed);
        };
        if let Some(seals) = self.count() {
            warn_of_many(seals);
        }
        getrandom::fill(nonce).map_err(|_| SealFailed)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(associated), text)
            .map_err(|_| SealFailed)?;
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
        self.key.open_in_place(nonce, Aad::from(associated), text).map_err(|_| Invalid::Seal)?;
        sealed.truncate(sealed.len() - TAG_BYTES);
        Ok(())
    }

    /// How often this process has sealed with it.
    pub(crate) fn seals(&self) -> u64 {
        self.seals.load(Ordering::Relaxed)
    }

    /// Counts a seal. `Some`, with the number so far, when that is to be said.
    fn count(&self) -> Option<u64> {
        let seals = self.seals.fetch_add(1, Ordering::Relaxed) + 1;
        (seals >= MANY_SEALS && seals.is_multiple_of(WARNING_INTERVAL)).then_some(seals)
    }
}

#[cold]
fn warn_of_many(seals: u64) {
    log::warn!(
        "this process has sealed {seals} sessions with one key, which all servers together may use 4294967296 times: \
         replace secret_key, or set key_rollover, to a shorter duration if it is set"
    );
}

/// The operating system gave no random bits, or the text is beyond what AES-GCM seals at once.
#[derive(Debug)]
pub(crate) struct SealFailed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seal_is_counted_and_from_a_quarter_of_what_is_allowed_it_is_said_now_and_then() {
        let key = SealingKey::new(&[7; 32]).unwrap();
        let seal = || key.seal(b"name", &mut vec![0; NONCE_BYTES]).unwrap();
        (0..3).for_each(|_| seal());
        assert_eq!(key.seals(), 3);

        let count_after = |seals: u64| {
            key.seals.store(seals, Ordering::Relaxed);
            key.count()
        };
        let quarter = 1 << 30;
        assert_eq!(count_after((1 << 29) - 1), None, "that is far from the bound");
        assert_eq!(count_after(quarter - 1), Some(quarter));
        assert_eq!(count_after(quarter), None, "it was said one seal before");
        assert_eq!(count_after(quarter + (1 << 26) - 1), Some(quarter + (1 << 26)));
    }
}

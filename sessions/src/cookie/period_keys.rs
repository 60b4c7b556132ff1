//! The keys that are derived from a key, one for each period.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64_simd::STANDARD;
use ring::aead::AES_256_GCM;
use ring::hkdf::{HKDF_SHA256, Prk, Salt};

use super::period::{KeyId, Period, TAG_LETTERS};
use super::seal::SealingKey;
use crate::error::Invalid;

/// What each derived key is for (RFC 5869, `info`). A cookie's name is no part of it, since the seal is bound to that.
const SEALS: &[u8] = b"sealed-sessions: seals cookies in a period";
const NAMES: &[u8] = b"sealed-sessions: names a key";

/// How many keys are kept. Those of older periods are derived anew for each value.
const MAX_KEPT: usize = 64;

/// The derived keys of a key (HKDF, RFC 5869). The realms of an app share them, and so they count their seals together.
pub(super) struct PeriodKeys {
    secret: Prk,
    tag: String,
    /// Those of the latest periods that have sealed or opened something.
    kept: RwLock<BTreeMap<Period, Arc<PeriodKey>>>,
}

/// The key of one period.
pub(super) struct PeriodKey {
    /// How values say that this key has sealed them.
    pub(super) id: String,
    pub(super) key: SealingKey,
}

impl PeriodKeys {
    pub(super) fn new(key: &[u8]) -> Option<PeriodKeys> {
        let secret = Salt::new(HKDF_SHA256, &[]).extract(key);
        let mut name = [0; 32];
        secret.expand(&[NAMES], HKDF_SHA256).ok()?.fill(&mut name).ok()?;
        let tag = STANDARD.encode_to_string(name).get(..TAG_LETTERS)?.to_owned();
        Some(PeriodKeys { secret, tag, kept: RwLock::default() })
    }

    /// Whether this may be the key that a value says it was sealed by. A wrong one has the same tag once in 4096.
    pub(super) fn has_tag(&self, id: &KeyId<'_>) -> bool {
        self.tag == id.tag
    }

    /// The key that seals in this period.
    pub(super) fn sealing(&self, period: Period) -> Option<Arc<PeriodKey>> {
        self.kept(period).or_else(|| Some(self.keep(period, self.derive(period)?)))
    }

    /// Opens `sealed` in place with the key of this period. The key is kept once it has opened something: nobody can push
    /// another out of the way with a value that is not genuine.
    pub(super) fn open(
        &self,
        period: Period,
        associated: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), Invalid> {
        if let Some(kept) = self.kept(period) {
            return kept.key.open(associated, sealed);
        }
        let derived = self.derive(period).ok_or(Invalid::Seal)?;
        derived.key.open(associated, sealed)?;
        self.keep(period, derived);
        Ok(())
    }

    fn kept(&self, period: Period) -> Option<Arc<PeriodKey>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&period).cloned()
    }

    /// Keeps the key, unless another thread was faster: then that one's is the key, with its count.
    fn keep(&self, period: Period, derived: PeriodKey) -> Arc<PeriodKey> {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let key = Arc::clone(kept.entry(period).or_insert_with(|| Arc::new(derived)));
        if kept.len() > MAX_KEPT {
            kept.pop_first();
        }
        key
    }

    fn derive(&self, period: Period) -> Option<PeriodKey> {
        let [length, number] = period.coordinates().map(i64::to_be_bytes);
        let info = [SEALS, &length, &number];
        let key = self.secret.expand(&info, &AES_256_GCM).ok()?;
        Some(PeriodKey { id: KeyId::written(period, &self.tag), key: SealingKey::derived(key.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::period::PeriodLength;
    use super::*;

    fn keys() -> PeriodKeys {
        PeriodKeys::new(&[9; 32]).unwrap()
    }

    fn period(number: i64) -> Period {
        PeriodLength::of_minutes(10).unwrap().period(number * 600)
    }

    #[test]
    fn the_key_that_seals_is_one_key_however_many_older_ones_open_something() {
        let keys = keys();
        let now = keys.sealing(period(10_000)).unwrap();
        for number in 9_000..9_999 {
            let mut sealed = vec![0; 12];
            keys.derive(period(number)).unwrap().key.seal(b"", &mut sealed).unwrap();
            keys.open(period(number), b"", &mut sealed).unwrap();
        }
        assert_eq!(keys.kept.read().unwrap().len(), MAX_KEPT);
        assert!(Arc::ptr_eq(&now, &keys.sealing(period(10_000)).unwrap()), "or its seals are counted anew");
    }

    #[test]
    fn a_value_that_is_not_genuine_keeps_no_key() {
        let keys = keys();
        assert!(keys.open(period(5), b"", &mut vec![0; 40]).is_err());
        assert!(keys.kept.read().unwrap().is_empty());
    }

    #[test]
    fn threads_that_reach_a_period_at_once_seal_with_one_key() {
        let keys = keys();
        let all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| keys.sealing(period(1)).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(all.iter().all(|key| Arc::ptr_eq(key, &all[0])));
    }
}

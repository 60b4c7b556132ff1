//! Form tokens: a keyed hash of the session's id, under a mask that is new for each page.
//!
//! Nothing is stored: the seal of the cookie proves the id, and the id proves the token. The mask keeps a
//! compressed page from revealing the hash byte by byte (BREACH).

use base64_simd::URL_SAFE_NO_PAD;
use ring::hmac::{self, Key};

use crate::record::id::Id;

const BYTES: usize = 16;

/// A new token for a session; `None` without random bits from the operating system.
pub(super) fn make(key: &Key, cookie: &str, id: &Id) -> Option<String> {
    let mut mask = [0; BYTES];
    getrandom::fill(&mut mask).ok()?;
    let masked = xor(mask, hash(key, cookie, id)?);
    Some(URL_SAFE_NO_PAD.encode_to_string([mask, masked].concat()))
}

/// Whether a token is the session's, in a time that does not depend on where it differs.
pub(super) fn verify(key: &Key, cookie: &str, id: &Id, token: &str) -> bool {
    let Ok(token) = URL_SAFE_NO_PAD.decode_to_vec(token) else { return false };
    let Some((mask, masked)) = token.split_first_chunk::<BYTES>() else { return false };
    match (masked.try_into(), hash(key, cookie, id)) {
        (Ok(masked), Some(hash)) => xor(xor(*mask, masked), hash).iter().fold(0, |all, byte| all | byte) == 0,
        _ => false,
    }
}

fn hash(key: &Key, cookie: &str, id: &Id) -> Option<[u8; BYTES]> {
    let mut mac = hmac::Context::with_key(key);
    for part in [b"form token\0", cookie.as_bytes(), b"\0", id.as_bytes()] {
        mac.update(part);
    }
    mac.sign().as_ref().first_chunk().copied()
}

fn xor(left: [u8; BYTES], right: [u8; BYTES]) -> [u8; BYTES] {
    std::array::from_fn(|n| left[n] ^ right[n])
}

//! The secret that the form tokens of one session are made of.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

const BYTES: usize = 16;

/// What the tokens of a session are made of; kept in the session, replaced at each login.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(super) fn random() -> Option<Secret> {
        Some(Secret(URL_SAFE_NO_PAD.encode_to_string(random()?)))
    }

    /// The secret under a mask that is new for each page, so that a compressed page reveals nothing of it
    /// (BREACH).
    pub(super) fn masked(&self) -> Option<String> {
        let mask = random()?;
        Some(URL_SAFE_NO_PAD.encode_to_string([mask, xor(self.bytes()?, mask)].concat()))
    }

    /// Compares in a time that does not depend on where the two differ.
    pub(super) fn matches(&self, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode_to_vec(token) else { return false };
        let Some((mask, masked)) = token.split_first_chunk::<BYTES>() else { return false };
        match (masked.try_into(), self.bytes()) {
            (Ok(masked), Some(secret)) => {
                xor(xor(*mask, masked), secret).iter().fold(0, |all, byte| all | byte) == 0
            }
            _ => false,
        }
    }

    fn bytes(&self) -> Option<[u8; BYTES]> {
        URL_SAFE_NO_PAD.decode_to_vec(&self.0).ok()?.try_into().ok()
    }
}

fn random() -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

fn xor(left: [u8; BYTES], right: [u8; BYTES]) -> [u8; BYTES] {
    std::array::from_fn(|n| left[n] ^ right[n])
}

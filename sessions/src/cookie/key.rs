//! Reading keys from configuration, and making new ones.

use std::fmt;

use base64_simd::STANDARD;
use cookie::Key;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use thiserror::Error;

/// The key that stands in Rocket's own source: known to everyone.
const PUBLISHED: &str = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";

/// What is wrong with a key. Its text never shows the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// No key is configured: Rocket then holds 32 zero bytes.
    #[error("there is none")]
    Missing,
    /// It has this many characters, which is not an accepted length.
    #[error("it has {0} characters")]
    Length(usize),
    /// It has this many bytes, which are too few.
    #[error("it has {0} bytes, fewer than 32")]
    Bytes(usize),
    /// Neither base64 nor hexadecimal.
    #[error("it is neither base64 nor hexadecimal")]
    Encoding,
    /// The key that is printed in Rocket's documentation and source.
    #[error("it is the one published in Rocket's source, known to everyone")]
    Published,
    /// The same key is listed twice.
    #[error("the same key is listed twice")]
    Duplicate,
}

/// How a key may be written.
pub(crate) const KEY_FORMS: &str = "44 or 88 characters of base64, or 64 of hexadecimal, as `sealed-sessions keygen` \
                             or `openssl rand -base64 32` print them";

/// A new key, as text for the setting `secret_key`: 64 random bytes in base64.
///
/// ```
/// use sealed_sessions::keys::{generate_key, parse_key};
///
/// let text = generate_key().unwrap();
/// assert_eq!(text.len(), 88);
/// assert!(parse_key(&text).is_ok());
/// ```
///
/// # Errors
/// When the operating system has no random bits to give.
pub fn generate_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 64];
    getrandom::fill(&mut bytes)?;
    Ok(STANDARD.encode_to_string(bytes))
}

/// Reads a key as Rocket reads `secret_key`.
///
/// # Errors
/// What is wrong with the key, without its text.
pub fn parse_key(text: &str) -> Result<Key, KeyProblem> {
    match text.len() {
        44 | 88 => key_of(&STANDARD.decode_to_vec(text).map_err(|_| KeyProblem::Encoding)?),
        64 => key_of(&from_hex(text).ok_or(KeyProblem::Encoding)?),
        length => Err(KeyProblem::Length(length)),
    }
}

fn key_of(bytes: &[u8]) -> Result<Key, KeyProblem> {
    let key = match bytes.len() {
        0..32 => return Err(KeyProblem::Bytes(bytes.len())),
        _ if bytes.iter().all(|byte| *byte == 0) => return Err(KeyProblem::Missing),
        32..64 => Key::derive_from(bytes),
        64.. => Key::from(bytes),
    };
    let published = STANDARD.decode_to_vec(PUBLISHED).map(|bytes| Key::derive_from(&bytes));
    match published {
        Ok(published) if key == published => Err(KeyProblem::Published),
        _ => Ok(key),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect()
}

/// A key as configuration holds it: text, or bytes as `rocket::Config` yields them. A bad key becomes its
/// [`KeyProblem`], since a deserializer's own error would print it.
pub(crate) struct ConfiguredKey(pub(crate) Result<Key, KeyProblem>);

impl<'de> Deserialize<'de> for ConfiguredKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ConfiguredKey, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = ConfiguredKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KEY_FORMS)
    }

    fn visit_str<E>(self, text: &str) -> Result<ConfiguredKey, E> {
        Ok(ConfiguredKey(parse_key(text)))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<ConfiguredKey, E> {
        Ok(ConfiguredKey(key_of(bytes)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<ConfiguredKey, A::Error> {
        let mut bytes = Vec::with_capacity(64);
        while let Some(byte) = sequence.next_element()? {
            bytes.push(byte);
        }
        Ok(ConfiguredKey(key_of(&bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_in_base64_and_in_hexadecimal_of_either_case() {
        let bytes: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7 + 1).unwrap());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let key = parse_key(&STANDARD.encode_to_string(bytes)).unwrap();
        assert!(key == Key::derive_from(&bytes));
        assert!(key == parse_key(&hex).unwrap() && key == parse_key(&hex.to_uppercase()).unwrap());
        let master: [u8; 64] = std::array::from_fn(|n| u8::try_from(n).unwrap());
        assert!(parse_key(&STANDARD.encode_to_string(master)).unwrap() == Key::from(&master));
    }

    fn published_in_hexadecimal() -> String {
        let bytes = STANDARD.decode_to_vec(PUBLISHED).unwrap();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn k2_what_is_wrong_with_a_key_is_said_without_it() {
        let problem = |text: &str| parse_key(text).err().map(|problem| problem.to_string());
        for (text, said) in [
            (STANDARD.encode_to_string([0; 32]), "there is none"),
            (STANDARD.encode_to_string([0; 64]), "there is none"),
            ("0".repeat(64), "there is none"),
            (PUBLISHED.to_owned(), "published"),
            (published_in_hexadecimal(), "published"),
            ("g".repeat(64), "neither base64 nor hexadecimal"),
            ("?".repeat(44), "neither base64 nor hexadecimal"),
            (STANDARD.encode_to_string([7; 31]), "31"),
            ("c2hvcnQ=".to_owned(), "8 characters"),
        ] {
            let problem = problem(&text).unwrap_or_default();
            assert!(problem.contains(said) && !problem.contains(&text), "{text}: {problem}");
        }
    }
}

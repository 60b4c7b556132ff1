//! The keys: the current one seals, the previous ones still open.

use std::fmt;

use base64_simd::STANDARD;
use cookie::Key;
use hmac::{Hmac, Mac};
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use sha2::Sha256;
use thiserror::Error;

use super::error::Invalid;
use super::record::Id;
use super::seal::{SealFailed, SealingKey};
use super::ticket::Ticket;

/// The key that stands in Rocket's own source: known to everyone.
const PUBLISHED: &str = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";

/// All keys of an app. `Debug` shows how many there are and nothing else.
pub struct Keyring {
    current: SealingKey,
    previous: Vec<SealingKey>,
    handles: Hmac<Sha256>,
}

/// Which key a cookie was sealed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAge {
    /// The one that seals today.
    Current,
    /// One of `previous_keys`: the session is sealed anew by the next response.
    Previous,
}

impl Keyring {
    /// A keyring that seals with `current` and opens with all.
    ///
    /// # Errors
    /// [`KeyProblem::Duplicate`] when two of the keys are the same.
    pub fn new(current: &Key, previous: &[Key]) -> Result<Keyring, KeyProblem> {
        let duplicate = |(n, key): (usize, &Key)| key == current || previous[..n].contains(key);
        if previous.iter().enumerate().any(duplicate) {
            return Err(KeyProblem::Duplicate);
        }
        let sealing =
            |key: &Key| key.encryption().first_chunk().and_then(SealingKey::new).ok_or(KeyProblem::Length(0));
        Ok(Keyring {
            current: sealing(current)?,
            previous: previous.iter().map(sealing).collect::<Result<_, _>>()?,
            handles: Hmac::new_from_slice(current.signing()).map_err(|_| KeyProblem::Length(0))?,
        })
    }

    /// Seals a ticket under the current key, bound to `associated`.
    pub(crate) fn seal(&self, associated: &[u8], ticket: Ticket) -> Result<Vec<u8>, SealFailed> {
        let mut buffer = ticket.into_buffer();
        self.current.seal(associated, &mut buffer)?;
        Ok(buffer)
    }

    /// Opens what any of the keys sealed.
    pub(crate) fn open(&self, associated: &[u8], mut sealed: Vec<u8>) -> Result<(Ticket, KeyAge), Invalid> {
        // A key that does not open leaves nothing to try the next one on.
        let kept = if self.previous.is_empty() { Vec::new() } else { sealed.clone() };
        let age = match self.current.open(associated, &mut sealed) {
            Ok(()) => KeyAge::Current,
            Err(reason) => {
                let opens = |key: &SealingKey| {
                    sealed.clone_from(&kept);
                    key.open(associated, &mut sealed).is_ok()
                };
                self.previous.iter().any(opens).then_some(KeyAge::Previous).ok_or(reason)?
            }
        };
        Ticket::from_opened(sealed).map(|ticket| (ticket, age)).ok_or(Invalid::Format)
    }

    /// A session's name for logs: a keyed hash of its id, of no use to whoever reads it (ASVS 5.0, 14.2.1).
    pub fn handle(&self, id: &Id) -> String {
        let mut mac = self.handles.clone();
        mac.update(b"session handle");
        mac.update(id.as_bytes());
        let hash = mac.finalize().into_bytes();
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(1 current, {} previous)", self.previous.len())
    }
}

/// What can be wrong with a key. Never says the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// None is configured: Rocket then holds 32 zero bytes.
    #[error("there is none")]
    Missing,
    /// Of this many characters, which is none of the accepted lengths.
    #[error("it has {0} characters")]
    Length(usize),
    /// Of this many bytes, which are too few.
    #[error("it has {0} bytes, and 32 are the least")]
    Bytes(usize),
    /// Neither base64 nor hexadecimal.
    #[error("it is neither base64 nor hexadecimal")]
    Encoding,
    /// The key that is printed in Rocket's documentation and source.
    #[error("it is the one published in Rocket's source, known to everyone")]
    Published,
    /// The same key stands twice.
    #[error("the same key stands twice")]
    Duplicate,
}

/// What a key may be written as.
pub const KEY_FORMS: &str = "44 or 88 characters of base64, or 64 of hexadecimal, as `sealed-sessions keygen` \
                             or `openssl rand -base64 32` print them";

/// A new key, as text for the setting `secret_key`: 64 random bytes in base64.
///
/// ```
/// use sealed_sessions::{generate_key, parse_key};
///
/// let text = generate_key().unwrap();
/// assert_eq!(text.len(), 88);
/// assert!(parse_key(&text).is_ok());
/// ```
///
/// # Errors
/// When the operating system gives no random bits.
pub fn generate_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 64];
    getrandom::fill(&mut bytes)?;
    Ok(STANDARD.encode_to_string(bytes))
}

/// The key of this text, read as Rocket reads `secret_key`.
///
/// # Errors
/// What is wrong with it, without the text.
pub fn parse_key(text: &str) -> Result<Key, KeyProblem> {
    if text == PUBLISHED {
        return Err(KeyProblem::Published);
    }
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

/// A key as configuration holds it: text, or bytes as `rocket::Config` yields them. A bad one is kept
/// as its [`KeyProblem`], since the errors of a deserializer would print it.
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

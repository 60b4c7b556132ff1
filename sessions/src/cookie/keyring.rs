//! The keys: the current one seals, the previous ones still open.

use std::fmt;

use cookie::Key;
use ring::hmac;

use super::form_token;
use super::seal::{SealFailed, SealingKey};
use super::ticket::Ticket;
use crate::error::Invalid;
use crate::record::id::{Id, IdHash};

/// All keys of an app. `Debug` shows how many there are and nothing else.
pub(crate) struct Keyring {
    current: SealingKey,
    previous: Vec<SealingKey>,
    /// Of each key, the current one first: for names in logs and form tokens.
    macs: Vec<hmac::Key>,
}

/// Which key sealed a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAge {
    /// The key that seals today.
    Current,
    /// One of `previous_keys`: the next response seals the session with the current one.
    Previous,
}

impl Keyring {
    /// A keyring that seals with `current` and opens with every key; `None` if the cipher refuses one.
    pub(crate) fn new(current: &Key, previous: &[Key]) -> Option<Keyring> {
        let mac = |key: &Key| hmac::Key::new(hmac::HMAC_SHA256, key.signing());
        let sealing = |key: &Key| key.encryption().first_chunk().and_then(SealingKey::new);
        Some(Keyring {
            current: sealing(current)?,
            previous: previous.iter().map(sealing).collect::<Option<_>>()?,
            macs: std::iter::once(current).chain(previous).map(mac).collect(),
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
        // A failed attempt destroys the buffer.
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

    /// A session's name in logs and lists: a keyed hash of its id's hash, useless to anyone who reads it (ASVS 5.0,
    /// 14.2.1).
    pub(crate) fn handle(&self, id: &IdHash) -> String {
        self.handles(id).next().unwrap_or_default()
    }

    /// A session's name under each of the keys, the current one first.
    pub(crate) fn handles(&self, id: &IdHash) -> impl Iterator<Item = String> {
        self.macs.iter().map(|key| handle(key, id))
    }

    /// Whether this is a session's name under any of the keys: it may be from before a rotation.
    pub(crate) fn owns_handle(&self, id: &IdHash, text: &str) -> bool {
        self.handles(id).any(|handle| handle == text)
    }

    /// A token for a form of this session; `None` without random bits from the operating system.
    pub(crate) fn form_token(&self, cookie: &str, id: &Id) -> Option<String> {
        form_token::make(self.macs.first()?, cookie, id)
    }

    /// Whether any of the keys made this token for this session.
    pub(crate) fn owns_form_token(&self, cookie: &str, id: &Id, token: &str) -> bool {
        self.macs.iter().any(|mac| form_token::verify(mac, cookie, id, token))
    }
}

fn handle(key: &hmac::Key, id: &IdHash) -> String {
    let mut mac = hmac::Context::with_key(key);
    mac.update(b"session handle");
    mac.update(id.as_bytes());
    mac.sign().as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(1 current, {} previous)", self.previous.len())
    }
}

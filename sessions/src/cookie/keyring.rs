//! The keys: the current one seals, the previous ones still open.

use std::fmt;
use std::sync::Arc;

use cookie::Key;
use ring::hmac;

use super::form_token;
use super::period::{KeyId, Period, PeriodLength};
use super::period_keys::{PeriodKey, PeriodKeys};
use super::seal::{SealFailed, SealingKey};
use super::ticket::Ticket;
use crate::clock::UnixSeconds;
use crate::error::Invalid;
use crate::record::id::{Id, IdHash};

/// One of an app's keys, for all that it does.
pub(crate) struct AppKey {
    /// The key itself. It seals cookies unless they are sealed in periods, and always data at rest.
    itself: SealingKey,
    periods: PeriodKeys,
    /// For names in logs and form tokens: the same in every period.
    mac: hmac::Key,
}

impl AppKey {
    /// `None` if the cipher refuses the key.
    pub(crate) fn new(key: &Key) -> Option<AppKey> {
        let encryption = key.encryption().first_chunk()?;
        Some(AppKey {
            itself: SealingKey::new(encryption)?,
            periods: PeriodKeys::new(encryption)?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, key.signing()),
        })
    }
}

/// All keys of a realm. `Debug` shows how many there are and nothing else.
pub(crate) struct Keyring {
    current: Arc<AppKey>,
    previous: Vec<AppKey>,
    rollover: Rollover,
}

/// How a keyring changes its keys by itself.
#[derive(Clone, Copy)]
pub(crate) struct Rollover {
    /// How long one key seals; `None` to seal with the key itself.
    pub(crate) length: Option<PeriodLength>,
    /// The longest that a session may live.
    pub(crate) lifetime: UnixSeconds,
}

/// What seals cookies at one moment.
pub(super) enum Current<'k> {
    Itself(&'k SealingKey),
    OfPeriod(Arc<PeriodKey>),
}

impl Current<'_> {
    /// What stands before the sealed text to say which key sealed it; empty for a key itself.
    pub(super) fn id(&self) -> &str {
        match self {
            Current::Itself(_) => "",
            Current::OfPeriod(period) => &period.id,
        }
    }

    /// How often this process has sealed with it.
    fn seals(&self) -> u64 {
        match self {
            Current::Itself(key) => key.seals(),
            Current::OfPeriod(period) => period.key.seals(),
        }
    }

    /// Seals a ticket, bound to `associated`.
    pub(super) fn seal(&self, associated: &[u8], ticket: Ticket) -> Result<Vec<u8>, SealFailed> {
        let key = match self {
            Current::Itself(key) => key,
            Current::OfPeriod(period) => &period.key,
        };
        let mut buffer = ticket.into_buffer();
        key.seal(associated, &mut buffer)?;
        Ok(buffer)
    }
}

/// Which key sealed a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyAge {
    /// One that needs no replacing. The key of an earlier period opens for as long as a session that it has sealed can
    /// live, so it is as good as today's.
    Current,
    /// One of `previous_keys`, or that of a period where keys seal themselves again: the next response seals the session
    /// with the current one.
    Previous,
}

impl Keyring {
    /// A keyring that seals with `current` and opens with every key; `None` if the cipher refuses one.
    pub(crate) fn new(current: Arc<AppKey>, previous: &[Key], rollover: Rollover) -> Option<Keyring> {
        let previous = previous.iter().map(AppKey::new).collect::<Option<_>>()?;
        Some(Keyring { current, previous, rollover })
    }

    /// What seals cookies at `now`.
    pub(super) fn current(&self, now: UnixSeconds) -> Result<Current<'_>, SealFailed> {
        let Some(length) = self.rollover.length else { return Ok(Current::Itself(&self.current.itself)) };
        let key = self.current.periods.sealing(length.period(now)).ok_or(SealFailed)?;
        Ok(Current::OfPeriod(key))
    }

    /// How often this process has sealed with the key that seals cookies at `now`.
    pub(crate) fn seals(&self, now: UnixSeconds) -> u64 {
        self.current(now).map_or(0, |current| current.seals())
    }

    /// Seals a ticket under the current key itself, bound to `associated`.
    pub(crate) fn seal(&self, associated: &[u8], ticket: Ticket) -> Result<Vec<u8>, SealFailed> {
        Current::Itself(&self.current.itself).seal(associated, ticket)
    }

    /// Opens what any of the keys has sealed itself.
    pub(crate) fn open(&self, associated: &[u8], mut sealed: Vec<u8>) -> Result<(Ticket, KeyAge), Invalid> {
        // A failed attempt destroys the buffer.
        let kept = if self.previous.is_empty() { Vec::new() } else { sealed.clone() };
        let age = match self.current.itself.open(associated, &mut sealed) {
            Ok(()) => KeyAge::Current,
            Err(reason) => {
                let opens = |key: &AppKey| {
                    sealed.clone_from(&kept);
                    key.itself.open(associated, &mut sealed).is_ok()
                };
                self.previous.iter().any(opens).then_some(KeyAge::Previous).ok_or(reason)?
            }
        };
        Ticket::from_opened(sealed).map(|ticket| (ticket, age)).ok_or(Invalid::Format)
    }

    /// Opens what the key of this id has sealed, if it may still open at `now`.
    pub(super) fn open_of(
        &self,
        id: &KeyId<'_>,
        now: UnixSeconds,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<(Ticket, KeyAge), Invalid> {
        let mut reason = Invalid::Seal;
        for (key, age) in self.named(id, now) {
            let mut opened = sealed.to_vec();
            match key.periods.open(id.period, associated, &mut opened) {
                Ok(()) => {
                    let ticket = Ticket::from_opened(opened).ok_or(Invalid::Format)?;
                    return Ok((ticket, age));
                }
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }

    /// The keys to try for an id: one or none, unless two keys have the same tag.
    pub(super) fn named(&self, id: &KeyId<'_>, now: UnixSeconds) -> impl Iterator<Item = (&AppKey, KeyAge)> {
        let is_open = self.opens(&id.period, now);
        let newest = if self.rollover.length.is_some() { KeyAge::Current } else { KeyAge::Previous };
        let previous = self.previous.iter().map(|key| (key, KeyAge::Previous));
        let all = std::iter::once((&*self.current, newest)).chain(previous);
        all.filter(move |(key, _)| is_open && key.periods.has_tag(id))
    }

    /// Whether what keys of this period have sealed opens at `now`.
    pub(crate) fn opens(&self, period: &Period, now: UnixSeconds) -> bool {
        period.is_open(now, self.rollover.lifetime)
    }

    /// Every key, the current one first.
    fn keys(&self) -> impl Iterator<Item = &AppKey> {
        std::iter::once(&*self.current).chain(&self.previous)
    }

    /// A session's name in logs and lists: a keyed hash of its id's hash, useless to anyone who reads it (ASVS 5.0,
    /// 14.2.1).
    pub(crate) fn handle(&self, id: &IdHash) -> String {
        self.handles(id).next().unwrap_or_default()
    }

    /// A session's name under each of the keys, the current one first.
    pub(crate) fn handles(&self, id: &IdHash) -> impl Iterator<Item = String> {
        self.keys().map(|key| handle(&key.mac, id))
    }

    /// Whether this is a session's name under any of the keys: it may be from before a rotation.
    pub(crate) fn owns_handle(&self, id: &IdHash, text: &str) -> bool {
        self.handles(id).any(|handle| handle == text)
    }

    /// A token for a form of this session; `None` without random bits from the operating system.
    pub(crate) fn form_token(&self, cookie: &str, id: &Id) -> Option<String> {
        form_token::make(&self.current.mac, cookie, id)
    }

    /// Whether any of the keys made this token for this session.
    pub(crate) fn owns_form_token(&self, cookie: &str, id: &Id, token: &str) -> bool {
        self.keys().any(|key| form_token::verify(&key.mac, cookie, id, token))
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

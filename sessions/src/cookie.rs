//! The cookie on the wire: the Set-Cookie lines, and what is inside a value that came back.
//!
//! A session of one line is exactly a private cookie of Rocket: base64 of the sealed ticket, bound to
//! the cookie's name. A longer one is sealed whole and then cut: the cookie itself holds
//! `COUNT.first-piece`, and `NAME.1`, `NAME.2`, … the others. The seal is bound to name and count, so
//! pieces of different seals, or too few or too many, open to nothing.

use std::borrow::Cow;

use base64_simd::STANDARD;
use smallvec::SmallVec;

use super::clock::UnixSeconds;
use super::config::CookieSettings;
use super::error::Invalid;
use super::keyring::{KeyAge, Keyring};
use super::sent::{SentChunks, SentValue};
use super::ticket::Ticket;

/// What browsers and proxies take as one Set-Cookie line (RFC 6265bis; ASVS 5.0, 3.3.5).
pub const LINE_LIMIT: usize = 4096;

const HEADER: &str = "Set-Cookie: ";
const LONG_AGO: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
pub(crate) const MOST_CHUNKS: usize = 99;

/// Set-Cookie lines: nearly always one.
pub(crate) type Lines = SmallVec<[String; 1]>;

/// How a realm's cookie is named and written.
pub(crate) struct CookieFormat {
    pub(crate) name: String,
    attributes: String,
    persistent: bool,
    most_bytes: usize,
}

/// What a session takes on the wire, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// How many cookies it was cut into; 1 unless it is large. This one is a count.
    pub cookies: usize,
    /// The name of the first cookie.
    pub name: usize,
    /// All values together.
    pub value: usize,
    /// The text inside the seal.
    pub ticket: usize,
    /// All names, `=` and values: what every request carries.
    pub request: usize,
    /// The whole Set-Cookie lines that set them.
    pub lines: usize,
}

/// Why a session cannot be sent.
#[derive(Debug)]
pub(crate) enum Unsendable {
    TooLarge { bytes: usize, limit: usize },
    SealFailed,
}

impl CookieFormat {
    pub(crate) fn new(settings: &CookieSettings) -> CookieFormat {
        let mut attributes = format!("; HttpOnly; SameSite={}; Path={}", settings.same_site, settings.path);
        if settings.secure {
            attributes.push_str("; Secure");
        }
        if let Some(domain) = &settings.domain {
            attributes.push_str("; Domain=");
            attributes.push_str(domain);
        }
        if settings.partitioned {
            attributes.push_str("; Partitioned");
        }
        CookieFormat {
            name: settings.name.clone(),
            attributes,
            persistent: settings.persistent,
            most_bytes: settings.most_bytes,
        }
    }

    /// The lines that set `ticket`, and those that remove the chunks of `sent` that it no longer needs.
    pub(crate) fn set(
        &self,
        keyring: &Keyring,
        ticket: Ticket,
        max_age: UnixSeconds,
        sent: &SentChunks,
    ) -> Result<Lines, Unsendable> {
        let text_bytes = base64_bytes(ticket.sealed_bytes());
        let mut digits = itoa::Buffer::new();
        let tail = self.tail(digits.format(max_age));
        let one_line = HEADER.len() + self.name.len() + "=".len() + text_bytes + bytes(&tail);
        let mut lines = if one_line <= LINE_LIMIT {
            self.refuse_above_limit(one_line)?;
            let sealed = keyring.seal(self.name.as_bytes(), ticket).map_err(|_| Unsendable::SealFailed)?;
            let mut line = String::with_capacity(one_line);
            line.push_str(&self.name);
            line.push('=');
            STANDARD.encode_append(&sealed, &mut line);
            tail.iter().for_each(|part| line.push_str(part));
            Lines::from([line])
        } else {
            self.chunks(keyring, ticket, text_bytes, &tail.concat())?
        };
        let kept = lines.len();
        lines.extend(sent.from(kept).map(|chunk| self.removal(chunk)));
        Ok(lines)
    }

    /// The lines that remove the cookie and every chunk of it that the browser sent.
    pub(crate) fn clear(&self, sent: &SentChunks) -> Lines {
        let mut lines = Lines::from([self.removal(0)]);
        lines.extend(sent.from(1).map(|chunk| self.removal(chunk)));
        lines
    }

    /// What a value of `value` bytes in `cookies` pieces takes on the wire.
    pub(crate) fn wire(&self, cookies: usize, value: usize, ticket: usize, max_age: UnixSeconds) -> Wire {
        let mut digits = itoa::Buffer::new();
        let tail = self.tail(digits.format(max_age));
        let names: usize = (0..cookies).map(|chunk| self.chunk_name(chunk).len() + "=".len()).sum();
        Wire {
            cookies,
            name: self.name.len(),
            value,
            ticket,
            request: names + value,
            lines: names + value + cookies * (HEADER.len() + bytes(&tail)),
        }
    }

    fn chunks(
        &self,
        keyring: &Keyring,
        ticket: Ticket,
        text_bytes: usize,
        tail: &str,
    ) -> Result<Lines, Unsendable> {
        let overhead = HEADER.len() + self.name.len() + ".99".len() + "=".len() + "99.".len() + tail.len();
        let room = LINE_LIMIT.saturating_sub(overhead).max(1);
        let count = text_bytes.div_ceil(room);
        self.refuse_above_limit(text_bytes.saturating_add(count.saturating_mul(overhead)))?;
        if count > MOST_CHUNKS {
            return Err(Unsendable::TooLarge { bytes: text_bytes, limit: MOST_CHUNKS * room });
        }
        let sealed = keyring.seal(&self.associated(count), ticket).map_err(|_| Unsendable::SealFailed)?;
        let text = STANDARD.encode_to_string(sealed);
        let mut rest = text.as_str();
        let mut lines = Lines::with_capacity(count);
        for chunk in 0..count {
            let (piece, later) = rest.split_at(room.min(rest.len()));
            let count = if chunk == 0 { format!("{count}.") } else { String::new() };
            lines.push(format!("{}={count}{piece}{tail}", self.chunk_name(chunk)));
            rest = later;
        }
        Ok(lines)
    }

    fn refuse_above_limit(&self, bytes: usize) -> Result<(), Unsendable> {
        match bytes <= self.most_bytes {
            true => Ok(()),
            false => Err(Unsendable::TooLarge { bytes, limit: self.most_bytes }),
        }
    }

    /// What follows the value, in parts: nothing is put together before the line itself.
    fn tail<'a>(&'a self, max_age: &'a str) -> [&'a str; 3] {
        match self.persistent {
            true => [&self.attributes, "; Max-Age=", max_age],
            false => [&self.attributes, "", ""],
        }
    }

    fn removal(&self, chunk: usize) -> String {
        format!("{}={}{LONG_AGO}", self.chunk_name(chunk), self.attributes)
    }

    fn chunk_name(&self, chunk: usize) -> String {
        match chunk {
            0 => self.name.clone(),
            _ => format!("{}.{chunk}", self.name),
        }
    }

    /// What the seal is bound to besides the key.
    fn associated(&self, count: usize) -> Cow<'_, [u8]> {
        match count {
            1 => Cow::Borrowed(self.name.as_bytes()),
            _ => Cow::Owned(format!("{}.{count}", self.name).into_bytes()),
        }
    }

    /// Opens one of [`SentCookies::values`].
    pub(crate) fn open(&self, keyring: &Keyring, value: &SentValue<'_>) -> Result<(Ticket, KeyAge), Invalid> {
        let sealed = STANDARD.decode_to_vec(value.text()).map_err(|_| Invalid::Malformed)?;
        keyring.open(&self.associated(value.cookies()), sealed)
    }
}

fn base64_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

fn bytes(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

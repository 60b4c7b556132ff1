//! The cookie on the wire: writing its `Set-Cookie` lines, and opening a value that came back.
//!
//! A session of one line is exactly a private cookie of Rocket: base64 of the sealed ticket, bound to
//! the cookie's name. A longer one is sealed whole and then cut into chunks: the cookie itself holds
//! `COUNT.first-chunk`, and `NAME.1`, `NAME.2`, … hold the others. The seal is bound to name and count, so
//! chunks of different seals, or too few or too many of them, do not open.
//!
//! With the setting `key_rollover`, the id of the key that sealed it stands before the base64, and the seal is bound to
//! that too.

use std::borrow::Cow;

use base64_simd::STANDARD;
use rocket::Request;
use smallvec::SmallVec;

use super::keyring::{Current, KeyAge, Keyring};
use super::period::KeyId;
use super::request_cookies::{SentChunks, SentValue};
use super::settings::{CookieSettings, Persistent, SameSite};
use super::ticket::Ticket;
use super::withheld;
use crate::clock::UnixSeconds;
use crate::error::Invalid;

/// The longest `Set-Cookie` line that browsers and proxies accept, in bytes (RFC 6265bis; ASVS 5.0, 3.3.5).
pub const MAX_LINE_BYTES: usize = 4096;

const HEADER: &str = "Set-Cookie: ";
const REMOVED: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

/// Set-Cookie lines: nearly always one.
pub(crate) type Lines = SmallVec<[String; 1]>;

/// A realm's cookie: its name, its attributes and its limit.
pub(crate) struct CookieFormat {
    pub(crate) name: String,
    pub(crate) secure: bool,
    attributes: String,
    persistent: Persistent,
    max_bytes: usize,
    same_site: SameSite,
    path: String,
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
            secure: settings.secure,
            attributes,
            persistent: settings.persistent,
            max_bytes: settings.max_bytes,
            same_site: settings.same_site,
            path: settings.path.clone(),
        }
    }

    /// Whether a browser that has the cookie would have withheld it from this request.
    pub(crate) fn is_withheld(&self, request: &Request<'_>, origins: &[String]) -> bool {
        withheld::is_withheld(request, self.same_site, &self.path, origins)
    }

    /// The lines that set `ticket`, and those that remove the chunks of `sent` that it does not overwrite.
    pub(crate) fn set(
        &self,
        keyring: &Keyring,
        ticket: Ticket,
        remembered: bool,
        max_age: UnixSeconds,
        sent: &SentChunks,
        now: UnixSeconds,
    ) -> Result<Lines, Unsendable> {
        let current = keyring.current(now).map_err(|_| Unsendable::SealFailed)?;
        let text_bytes = current.id().len() + base64_bytes(ticket.sealed_bytes());
        let mut digits = itoa::Buffer::new();
        let tail = self.tail(remembered, digits.format(max_age));
        let one_line = HEADER.len() + self.name.len() + "=".len() + text_bytes + bytes(&tail);
        let mut lines = if one_line <= MAX_LINE_BYTES {
            self.refuse_above_limit(one_line)?;
            let associated = self.associated(current.id(), 1);
            let sealed = current.seal(&associated, ticket).map_err(|_| Unsendable::SealFailed)?;
            let mut line = String::with_capacity(one_line);
            line.push_str(&self.name);
            line.push('=');
            line.push_str(current.id());
            STANDARD.encode_append(&sealed, &mut line);
            tail.iter().for_each(|part| line.push_str(part));
            Lines::from([line])
        } else {
            self.chunks(&current, ticket, text_bytes, &tail.concat())?
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

    /// The length of the names and `=` of a session in so many cookies.
    pub(crate) fn name_bytes(&self, cookies: usize) -> usize {
        (0..cookies).map(|chunk| self.chunk_name(chunk).len() + "=".len()).sum()
    }

    /// What each `Set-Cookie` line has beside name and value.
    pub(crate) fn line_bytes(&self, remembered: bool, max_age: UnixSeconds) -> usize {
        let mut digits = itoa::Buffer::new();
        HEADER.len() + bytes(&self.tail(remembered, digits.format(max_age)))
    }

    fn chunks(
        &self,
        current: &Current<'_>,
        ticket: Ticket,
        text_bytes: usize,
        tail: &str,
    ) -> Result<Lines, Unsendable> {
        let overhead = HEADER.len() + self.name.len() + ".99".len() + "=".len() + "99.".len() + tail.len();
        let room = MAX_LINE_BYTES.saturating_sub(overhead).max(1);
        let count = text_bytes.div_ceil(room);
        self.refuse_above_limit(text_bytes.saturating_add(count.saturating_mul(overhead)))?;
        let associated = self.associated(current.id(), count);
        let sealed = current.seal(&associated, ticket).map_err(|_| Unsendable::SealFailed)?;
        let mut text = current.id().to_owned();
        STANDARD.encode_append(sealed, &mut text);
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
        if bytes > self.max_bytes {
            return Err(Unsendable::TooLarge { bytes, limit: self.max_bytes });
        }
        Ok(())
    }

    /// What follows the value, in parts, so that only the whole line is allocated.
    fn tail<'a>(&'a self, remembered: bool, max_age: &'a str) -> [&'a str; 3] {
        let persists = match self.persistent {
            Persistent::Always => true,
            Persistent::Never => false,
            Persistent::Remembered => remembered,
        };
        if persists { [&self.attributes, "; Max-Age=", max_age] } else { [&self.attributes, "", ""] }
    }

    fn removal(&self, chunk: usize) -> String {
        format!("{}={}{REMOVED}", self.chunk_name(chunk), self.attributes)
    }

    fn chunk_name(&self, chunk: usize) -> String {
        match chunk {
            0 => self.name.clone(),
            _ => format!("{}.{chunk}", self.name),
        }
    }

    /// What the seal is bound to beside the key: the key's id, the cookie's name and the number of chunks.
    fn associated(&self, id: &str, count: usize) -> Cow<'_, [u8]> {
        match (id, count) {
            ("", 1) => Cow::Borrowed(self.name.as_bytes()),
            (_, 1) => Cow::Owned([id, &self.name].concat().into_bytes()),
            _ => Cow::Owned(format!("{id}{}.{count}", self.name).into_bytes()),
        }
    }

    /// Opens one of the values that the browser sent.
    pub(crate) fn open(
        &self,
        keyring: &Keyring,
        value: &SentValue<'_>,
        now: UnixSeconds,
    ) -> Result<(Ticket, KeyAge), Invalid> {
        let decoded = |text: &str| STANDARD.decode_to_vec(text).map_err(|_| Invalid::Malformed);
        if !KeyId::begins(value.text()) {
            return keyring.open(&self.associated("", value.cookies()), decoded(value.text())?);
        }
        let (id, text) = KeyId::split(value.text()).ok_or(Invalid::Malformed)?;
        keyring.open_of(&id, now, &self.associated(id.text, value.cookies()), &decoded(text)?)
    }
}

fn base64_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

fn bytes(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

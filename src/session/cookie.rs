//! The cookie on the wire: which of the request's cookies are the session's, and the Set-Cookie lines.
//!
//! A session of one line is exactly a private cookie of Rocket: base64 of the sealed ticket, bound to
//! the cookie's name. A longer one is sealed whole and then cut: the cookie itself holds
//! `COUNT.first-piece`, and `NAME.1`, `NAME.2`, … the others. The seal is bound to name and count, so
//! pieces of different seals, or too few or too many, open to nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rocket::Request;

use super::clock::UnixSeconds;
use super::config::CookieSettings;
use super::error::Invalid;
use super::keyring::{KeyAge, Keyring};
use super::ticket::Ticket;

/// What browsers and proxies take as one Set-Cookie line (RFC 6265bis; ASVS 5.0, 3.3.5).
pub const LINE_LIMIT: usize = 4096;

const HEADER: &str = "Set-Cookie: ";
const LONG_AGO: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
const MOST_CHUNKS: usize = 99;

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
    ) -> Result<Vec<String>, Unsendable> {
        let text_bytes = base64_bytes(ticket.sealed_bytes());
        let tail = self.tail(max_age);
        let one_line = HEADER.len() + self.name.len() + "=".len() + text_bytes + tail.len();
        let mut lines = if one_line <= LINE_LIMIT {
            self.refuse_above_limit(one_line)?;
            let sealed = keyring.seal(self.name.as_bytes(), ticket).map_err(|_| Unsendable::SealFailed)?;
            let mut line = String::with_capacity(one_line);
            line.push_str(&self.name);
            line.push('=');
            STANDARD.encode_string(sealed, &mut line);
            line.push_str(&tail);
            vec![line]
        } else {
            self.chunks(keyring, ticket, text_bytes, &tail)?
        };
        let kept = lines.len();
        lines.extend(sent.from(kept).map(|chunk| self.removal(chunk)));
        Ok(lines)
    }

    /// The lines that remove the cookie and every chunk of it that the browser sent.
    pub(crate) fn clear(&self, sent: &SentChunks) -> Vec<String> {
        let mut lines = vec![self.removal(0)];
        lines.extend(sent.from(1).map(|chunk| self.removal(chunk)));
        lines
    }

    /// What a value of `value` bytes in `cookies` pieces takes on the wire.
    pub(crate) fn wire(&self, cookies: usize, value: usize, ticket: usize, max_age: UnixSeconds) -> Wire {
        let names: usize = (0..cookies).map(|chunk| self.chunk_name(chunk).len() + "=".len()).sum();
        Wire {
            cookies,
            name: self.name.len(),
            value,
            ticket,
            request: names + value,
            lines: names + value + cookies * (HEADER.len() + self.tail(max_age).len()),
        }
    }

    fn chunks(
        &self,
        keyring: &Keyring,
        ticket: Ticket,
        text_bytes: usize,
        tail: &str,
    ) -> Result<Vec<String>, Unsendable> {
        let overhead = HEADER.len() + self.name.len() + ".99".len() + "=".len() + "99.".len() + tail.len();
        let room = LINE_LIMIT.saturating_sub(overhead).max(1);
        let count = text_bytes.div_ceil(room);
        self.refuse_above_limit(text_bytes.saturating_add(count.saturating_mul(overhead)))?;
        if count > MOST_CHUNKS {
            return Err(Unsendable::TooLarge { bytes: text_bytes, limit: MOST_CHUNKS * room });
        }
        let sealed = keyring.seal(&self.associated(count), ticket).map_err(|_| Unsendable::SealFailed)?;
        let text = STANDARD.encode(sealed);
        let mut rest = text.as_str();
        let mut lines = Vec::with_capacity(count);
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

    fn tail(&self, max_age: UnixSeconds) -> String {
        let mut tail = String::with_capacity(self.attributes.len() + 20);
        tail.push_str(&self.attributes);
        if self.persistent {
            tail.push_str("; Max-Age=");
            tail.push_str(itoa::Buffer::new().format(max_age));
        }
        tail
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
    fn associated(&self, count: usize) -> Vec<u8> {
        match count {
            1 => self.name.clone().into_bytes(),
            _ => format!("{}.{count}", self.name).into_bytes(),
        }
    }

    /// Opens one candidate of [`SentCookies::values`].
    pub(crate) fn open(&self, keyring: &Keyring, value: &SentValue<'_>) -> Result<(Ticket, KeyAge), Invalid> {
        match value {
            SentValue::Whole(text) => {
                let sealed = STANDARD.decode(text).map_err(|_| Invalid::Malformed)?;
                keyring.open(self.name.as_bytes(), sealed)
            }
            SentValue::Cut { count, text } => {
                let sealed = STANDARD.decode(text).map_err(|_| Invalid::Malformed)?;
                keyring.open(&self.associated(*count), sealed)
            }
        }
    }

    /// The session's cookies in this request: those of the header where there is one, since only it
    /// shows two of the same name; else those of the jar, which Rocket's local client fills.
    pub(crate) fn sent<'r>(&self, request: &'r Request<'_>) -> SentCookies<'r> {
        let mut pieces = Vec::new();
        let mut has_header = false;
        for header in request.headers().get("cookie") {
            has_header = true;
            for pair in header.split(';') {
                pieces.extend(self.piece(pair));
            }
        }
        if !has_header {
            let cookies = request.cookies().iter();
            pieces.extend(cookies.filter_map(|cookie| Some((self.chunk_of(cookie.name())?, cookie.value()))));
        }
        SentCookies { pieces }
    }

    fn piece<'r>(&self, pair: &'r str) -> Option<(usize, &'r str)> {
        let rest = pair.trim_ascii().strip_prefix(&self.name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some((0, value)),
            None => {
                let (suffix, value) = rest.split_once('=')?;
                Some((chunk_number(suffix)?, value))
            }
        }
    }

    /// Which chunk a cookie of this name is, if it is one of the session's.
    fn chunk_of(&self, name: &str) -> Option<usize> {
        match name.strip_prefix(&self.name)? {
            "" => Some(0),
            suffix => chunk_number(suffix),
        }
    }
}

/// The number of a chunk by what follows the cookie's name: `.1` and so on.
fn chunk_number(suffix: &str) -> Option<usize> {
    let digits = suffix.strip_prefix('.')?;
    let chunk = digits.parse().ok().filter(|chunk| (1..MOST_CHUNKS).contains(chunk))?;
    (!digits.starts_with(['0', '+'])).then_some(chunk)
}

/// The session's cookies of one request, in the order sent, each with the number of its chunk.
pub(crate) struct SentCookies<'r> {
    pieces: Vec<(usize, &'r str)>,
}

/// One value that may be a session.
pub(crate) enum SentValue<'r> {
    Whole(&'r str),
    Cut { count: usize, text: String },
}

impl SentValue<'_> {
    pub(crate) fn cookies(&self) -> usize {
        match self {
            SentValue::Whole(_) => 1,
            SentValue::Cut { count, .. } => *count,
        }
    }

    /// Bytes of all its cookies' values, with the count.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            SentValue::Whole(text) => text.len(),
            SentValue::Cut { count, text } => count.to_string().len() + ".".len() + text.len(),
        }
    }
}

impl<'r> SentCookies<'r> {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Every value of the cookie. Where a cut one stands twice, the n-th takes the n-th of each chunk.
    pub(crate) fn values(&self) -> impl Iterator<Item = SentValue<'r>> + '_ {
        let firsts = self.pieces.iter().filter(|(chunk, _)| *chunk == 0);
        // No dot is base64: one that follows a digit or two ends the count of a cut value.
        let dot = |value: &str| value.bytes().take(3).position(|byte| byte == b'.');
        firsts.enumerate().filter_map(move |(nth, (_, value))| match dot(value) {
            None => Some(SentValue::Whole(value)),
            Some(dot) => self.joined(nth, value.get(..dot)?, value.get(dot + 1..)?),
        })
    }

    fn joined(&self, nth: usize, count: &str, first: &str) -> Option<SentValue<'r>> {
        let plain = !count.starts_with(['0', '+']);
        let count = count.parse().ok().filter(|count| plain && (2..=MOST_CHUNKS).contains(count))?;
        let mut text = String::from(first);
        for chunk in 1..count {
            let (_, piece) = self.pieces.iter().filter(|(number, _)| *number == chunk).nth(nth)?;
            text.push_str(piece);
        }
        Some(SentValue::Cut { count, text })
    }

    /// Which chunks there were, for the response that may have to remove them.
    pub(crate) fn chunks(&self) -> SentChunks {
        let mut chunks: Vec<usize> =
            self.pieces.iter().map(|(chunk, _)| *chunk).filter(|chunk| *chunk > 0).collect();
        chunks.sort_unstable();
        chunks.dedup();
        SentChunks(chunks)
    }
}

/// The numbers of the chunks that the browser sent, beyond the cookie itself.
#[derive(Default)]
pub(crate) struct SentChunks(Vec<usize>);

impl SentChunks {
    fn from(&self, least: usize) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied().filter(move |chunk| *chunk >= least)
    }
}

fn base64_bytes(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

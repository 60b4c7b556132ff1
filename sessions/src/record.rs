//! What a session is: a [`Record`], and its wire form.
//!
//! The wire form is a JSON array, frozen for ever by golden tests:
//! `[format, id, created, seen, version, data, remembered, signed_in, subject]`. Times are in whole
//! seconds, `data` is an object, and the last three are left out from the first on that needs not be said.

use std::fmt;

use base64_simd::{Out, URL_SAFE_NO_PAD};
use memchr::memchr2;

use super::clock::UnixSeconds;
use super::error::Invalid;

/// The number that opens every record of this version of the library.
pub const FORMAT: u32 = 1;
/// What stands before the id.
const OPENING: &str = "[1,\"";
const _: () = assert!(OPENING.as_bytes()[1] == b'0' + FORMAT as u8);

/// A session's name: 128 random bits from the operating system (ASVS 5.0, 7.2.3).
///
/// It is a credential wherever a store keeps sessions by it: `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; Id::BYTES]);

impl Id {
    /// How long an id is.
    pub const BYTES: usize = 16;
    const TEXT: usize = 22;

    /// A new id.
    ///
    /// # Errors
    /// When the operating system gives no random bits.
    pub fn random() -> Result<Id, getrandom::Error> {
        let mut bytes = [0; Id::BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Id(bytes))
    }

    /// The id of these bits, for a store that keeps the id itself.
    pub fn from_bytes(bytes: [u8; Id::BYTES]) -> Id {
        Id(bytes)
    }

    /// The id of this text (22 characters of base64url), if it is one.
    ///
    /// ```
    /// use sealed_sessions::Id;
    ///
    /// let id = Id::random().unwrap();
    /// assert_eq!(Id::from_text(&id.to_text()), Some(id));
    /// assert_eq!(Id::from_text("admin"), None);
    /// ```
    pub fn from_text(text: &str) -> Option<Id> {
        let mut bytes = [0; Id::BYTES];
        match text.len() == Id::TEXT
            && URL_SAFE_NO_PAD.decode(text.as_bytes(), Out::from_slice(&mut bytes)).is_ok()
        {
            true => Some(Id(bytes)),
            false => None,
        }
    }

    /// The id as 22 characters of base64url.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(self.0)
    }

    /// The bits themselves, for a store that keeps their hash.
    pub fn as_bytes(&self) -> &[u8; Id::BYTES] {
        &self.0
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

/// A session as a store sees it. It knows no store, no cookie and no Rust type: `data` is the JSON
/// object that the app's type was written as.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name. A new one is given whenever privilege changes.
    pub id: Id,
    /// When the session was opened. Never moves.
    pub created: UnixSeconds,
    /// When it was last used, to within the lesser of a tenth of `idle_timeout` and one minute.
    pub seen: UnixSeconds,
    /// How many times its data was written; 1 for a new session.
    pub version: u32,
    /// The app's data: the text of a JSON object.
    pub data: String,
    /// Whether this login asked for the longer lifetime.
    pub remembered: bool,
    /// When the subject proved who they are.
    pub signed_in: Option<UnixSeconds>,
    /// Whose session this is; none while it is anonymous.
    pub subject: Option<String>,
}

impl Record {
    /// The wire form.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 128);
        self.encode_into(&mut text);
        text
    }

    /// The wire form, written to the end of `text`.
    pub(crate) fn encode_into(&self, text: &mut String) {
        let mut digits = itoa::Buffer::new();
        let mut number = |text: &mut String, opening: &str, value: i64| {
            text.push_str(opening);
            text.push_str(digits.format(value));
        };
        text.push_str(OPENING);
        URL_SAFE_NO_PAD.encode_append(self.id.0, text);
        number(text, "\",", self.created);
        number(text, ",", self.seen);
        number(text, ",", i64::from(self.version));
        text.push(',');
        text.push_str(&self.data);
        if self.remembered || self.signed_in.is_some() || self.subject.is_some() {
            number(text, ",", i64::from(self.remembered));
        }
        match self.signed_in {
            Some(signed_in) => number(text, ",", signed_in),
            None if self.subject.is_some() => text.push_str(",null"),
            None => {}
        }
        if let Some(subject) = &self.subject {
            text.push(',');
            text.push_str(&serde_json::Value::from(subject.as_str()).to_string());
        }
        text.push(']');
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// [`Invalid::Format`] when it is of a format that this version does not know, or of none.
    pub fn decode(text: &str) -> Result<Record, Invalid> {
        Reader(text).record().ok_or(Invalid::Format)
    }
}

/// Reads a record from its front. What follows the elements that this version knows is left unread.
struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn record(mut self) -> Option<Record> {
        self.skip(OPENING)?;
        let id = Id::from_text(self.take(Id::TEXT)?)?;
        self.skip("\",")?;
        let created = self.number()?;
        self.skip(",")?;
        let seen = self.number()?;
        self.skip(",")?;
        let version = self.number()?;
        self.skip(",")?;
        let data = self.object()?.to_owned();
        let (remembered, signed_in, subject) = self.tail()?;
        Some(Record { id, created, seen, version, data, remembered, signed_in, subject })
    }

    fn tail(&mut self) -> Option<(bool, Option<UnixSeconds>, Option<String>)> {
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| (false, None, None));
        }
        let remembered = self.number::<u8>()? != 0;
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| (remembered, None, None));
        }
        let signed_in = if self.skip("null").is_some() { None } else { Some(self.number()?) };
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| (remembered, signed_in, None));
        }
        let mut rest = serde_json::Deserializer::from_str(self.0).into_iter();
        let subject = rest.next()?.ok()?;
        // A later version may say more after it.
        let ended = self.0.get(rest.byte_offset()..)?.starts_with([',', ']']) && self.0.ends_with(']');
        ended.then_some((remembered, signed_in, subject))
    }

    fn skip(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn take(&mut self, bytes: usize) -> Option<&str> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<N: TryFrom<i64>>(&mut self) -> Option<N> {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(digits) => (true, digits.as_bytes()),
            None => (false, self.0.as_bytes()),
        };
        let (mut value, mut count) = match digits.first_chunk().and_then(eight_digits) {
            Some(value) => (value, 8),
            None => (0, 0),
        };
        while let Some(digit @ 0..=9) = digits.get(count).map(|byte| byte.wrapping_sub(b'0')) {
            value = value.wrapping_mul(10).wrapping_add(digit.into());
            count += 1;
        }
        let text = self.take(usize::from(negative) + count)?;
        let value = match (count, negative) {
            (0, _) => return None,
            // So few digits cannot have overflown: true of every time that a calendar can name.
            (1..=18, false) => value,
            (1..=18, true) => -value,
            _ => text.parse().ok()?,
        };
        N::try_from(value).ok()
    }

    /// A JSON object, up to the brace that closes it.
    fn object(&mut self) -> Option<&str> {
        if !self.0.starts_with('{') {
            return None;
        }
        let bytes = self.0.as_bytes();
        let (mut depth, mut at) = (1_usize, 1);
        loop {
            match bytes.get(at)? {
                b'{' => depth += 1,
                b'}' if depth == 1 => return self.take(at + 1),
                b'}' => depth -= 1,
                b'"' => at = closing_quote(bytes, at + 1)?,
                _ => {}
            }
            at += 1;
        }
    }
}

/// The number of these digits, if all are digits: pairs are joined, then pairs of pairs, all at once.
/// Most of a short record is its two times.
fn eight_digits(digits: &[u8; 8]) -> Option<i64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let text = u64::from_le_bytes(*digits);
    // A digit's upper half is 3, and still is when 6 is added.
    let upper = |text: u64| text & 0xf0f0_f0f0_f0f0_f0f0;
    if upper(text) != ZEROS || upper(text.wrapping_add(0x0606_0606_0606_0606)) != ZEROS {
        return None;
    }
    let join =
        |parts: u64, base: u64, width: u32, mask: u64| (parts & mask) * base + ((parts >> width) & mask);
    let pairs = join(text - ZEROS, 10, 8, 0x00ff_00ff_00ff_00ff);
    let fours = join(pairs, 100, 16, 0x0000_ffff_0000_ffff);
    i64::try_from(join(fours, 10_000, 32, 0xffff_ffff)).ok()
}

/// Where the JSON string that begins at `at` ends.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += "\\n".len();
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("created", &self.created)
            .field("seen", &self.seen)
            .field("version", &self.version)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("remembered", &self.remembered)
            .field("signed_in", &self.signed_in)
            .field("subject", &self.subject.as_ref().map(|_| ".."))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_that_is_written_is_read() {
        let powers = (0..19).map(|zeros| 10_i64.pow(zeros));
        let edges = powers.flat_map(|power| [power - 1, power, -power]);
        for number in edges.chain([12_345_678, 1_234_567_890, i64::MAX, i64::MIN]) {
            assert_eq!(Reader(&format!("{number},")).number(), Some(number));
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "x", "9223372036854775808", "99999999999999999999"] {
            assert_eq!(Reader(text).number::<i64>(), None, "{text:?}");
        }
        for text in ["1234567x,", "1234567:,", "1234567/,"] {
            assert_eq!(Reader(text).number(), Some(1_234_567), "{text:?}");
        }
    }
}

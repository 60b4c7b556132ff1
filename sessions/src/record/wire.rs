//! A record's wire form, frozen by golden tests: the JSON array
//! `[format, id, created, seen, version, data, remembered, signed_in, subject]`.
//!
//! Times are whole seconds and `data` is an object. The last three elements are omitted, from the end, when
//! they hold their defaults.

use memchr::memchr2;

use super::Record;
use super::id::Id;
use crate::clock::UnixSeconds;
use crate::error::Invalid;

/// The number that opens every record of this version of the library.
const FORMAT: u32 = 1;
/// What stands before the id.
const OPENING: &str = "[1,\"";
const _: () = assert!(OPENING.as_bytes()[1] == b'0' + FORMAT as u8);

impl Record {
    /// The wire form.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(self.data.len() + 128);
        self.encode_into(&mut text);
        text
    }

    /// Appends the wire form to `text`.
    pub(crate) fn encode_into(&self, text: &mut String) {
        let mut digits = itoa::Buffer::new();
        let mut number = |text: &mut String, opening: &str, value: i64| {
            text.push_str(opening);
            text.push_str(digits.format(value));
        };
        text.push_str(OPENING);
        self.id.push_to(text);
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
    /// [`Invalid::Format`] for a format that this version does not know, and for anything else.
    pub fn decode(text: &str) -> Result<Record, Invalid> {
        Reader(text).record().ok_or(Invalid::Format)
    }
}

/// Reads a record from its front. Elements beyond those that this version knows are not read.
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
        // A later version may append elements.
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
        let digits = self.0.strip_prefix('-').unwrap_or(self.0);
        let sign = self.0.len() - digits.len();
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let value: i64 = self.take(sign + count)?.parse().ok()?;
        N::try_from(value).ok()
    }

    /// A JSON object, up to its closing brace.
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

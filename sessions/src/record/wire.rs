//! A record's wire form, frozen by golden tests: the JSON array
//! `[format, id, created, seen, version, data, remembered, signed_in, subject, position]`.
//!
//! Times are whole seconds and `data` is an object. The last four elements are omitted, from the end, when
//! they hold their defaults. There is no position without a subject.

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
        text.push_str(OPENING);
        self.id.push_to(text);
        text.push_str("\",");
        self.encode_times_into(text);
        text.push(',');
        text.push_str(&self.data);
        self.encode_tail_into(text);
    }

    /// Appends what [`Fields::decode`] reads: everything but the id, with the data last, whatever it is.
    pub(crate) fn encode_fields_into(&self, text: &mut String) {
        self.encode_times_into(text);
        self.encode_tail_into(text);
        text.push_str(&self.data);
    }

    fn encode_times_into(&self, text: &mut String) {
        let mut digits = itoa::Buffer::new();
        text.push_str(digits.format(self.created));
        text.push(',');
        text.push_str(digits.format(self.seen));
        text.push(',');
        text.push_str(digits.format(self.version));
    }

    fn encode_tail_into(&self, text: &mut String) {
        if self.remembered || self.signed_in.is_some() || self.subject.is_some() {
            text.push_str(if self.remembered { ",1" } else { ",0" });
        }
        match self.signed_in {
            Some(signed_in) => {
                text.push(',');
                text.push_str(itoa::Buffer::new().format(signed_in));
            }
            None if self.subject.is_some() => text.push_str(",null"),
            None => {}
        }
        if let Some(subject) = &self.subject {
            text.push(',');
            text.push_str(&serde_json::Value::from(subject.as_str()).to_string());
            if let Some(position) = self.position {
                text.push(',');
                text.push_str(itoa::Buffer::new().format(position));
            }
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

/// A record without its id.
#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) created: UnixSeconds,
    pub(crate) seen: UnixSeconds,
    pub(crate) version: u32,
    pub(crate) data: String,
    pub(crate) remembered: bool,
    pub(crate) signed_in: Option<UnixSeconds>,
    pub(crate) subject: Option<String>,
    pub(crate) position: Option<u64>,
}

impl Fields {
    /// Reads what [`Record::encode_fields_into`] writes.
    pub(crate) fn decode(text: &str) -> Option<Fields> {
        let mut reader = Reader(text);
        let (created, seen, version) = reader.times()?;
        let Tail { remembered, signed_in, subject, position } = reader.tail()?;
        let data = reader.0.to_owned();
        Some(Fields { created, seen, version, data, remembered, signed_in, subject, position })
    }

    pub(crate) fn into_record(self, id: Id) -> Record {
        let Fields { created, seen, version, data, remembered, signed_in, subject, position } = self;
        Record { id, created, seen, version, data, remembered, signed_in, subject, position }
    }
}

/// What follows the data.
#[derive(Default)]
struct Tail {
    remembered: bool,
    signed_in: Option<UnixSeconds>,
    subject: Option<String>,
    position: Option<u64>,
}

/// Reads a record from its front. Elements beyond those that this version knows are not read.
struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn record(mut self) -> Option<Record> {
        self.skip(OPENING)?;
        let id = Id::from_text(self.take(Id::TEXT)?)?;
        self.skip("\",")?;
        let (created, seen, version) = self.times()?;
        self.skip(",")?;
        let data = self.object()?.to_owned();
        let Tail { remembered, signed_in, subject, position } = self.tail()?;
        Some(Record { id, created, seen, version, data, remembered, signed_in, subject, position })
    }

    fn times(&mut self) -> Option<(UnixSeconds, UnixSeconds, u32)> {
        let created = self.number()?;
        self.skip(",")?;
        let seen = self.number()?;
        self.skip(",")?;
        Some((created, seen, self.number()?))
    }

    /// What follows the data, with the bracket that closes it.
    fn tail(&mut self) -> Option<Tail> {
        let mut tail = Tail::default();
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| tail);
        }
        tail.remembered = self.number::<u8>()? != 0;
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| tail);
        }
        tail.signed_in = if self.skip("null").is_some() { None } else { Some(self.number()?) };
        if self.skip(",").is_none() {
            return self.skip("]").map(|()| tail);
        }
        let mut rest = serde_json::Deserializer::from_str(self.0).into_iter();
        tail.subject = rest.next()?.ok()?;
        self.0 = self.0.get(rest.byte_offset()..)?;
        // It says where a sign-in was sealed: without a subject it says nothing.
        tail.position = self.position().filter(|_| tail.subject.is_some());
        self.0 = match self.0.strip_prefix(']') {
            Some(rest) => rest,
            // A later version may append elements.
            None if self.0.starts_with(',') && self.0.ends_with(']') => "",
            None => return None,
        };
        Some(tail)
    }

    /// The tenth element, if it is one that this version knows.
    fn position(&mut self) -> Option<u64> {
        let mut ahead = Reader(self.0);
        ahead.skip(",")?;
        let position = ahead.number()?;
        if !ahead.0.starts_with([',', ']']) {
            return None;
        }
        self.0 = ahead.0;
        Some(position)
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
        let is_negative = digits.len() < self.0.len();
        let (mut negated, mut count) = (0_i64, 0);
        // Downwards, since the least number has no positive counterpart.
        for digit in digits.bytes().take_while(u8::is_ascii_digit) {
            negated = negated.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
            count += 1;
        }
        self.0 = digits.get(count..).filter(|_| count > 0)?;
        N::try_from(if is_negative { negated } else { negated.checked_neg()? }).ok()
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

    #[test]
    fn a_position_without_a_subject_is_none() {
        let record = Record::decode(r#"[1,"AAAAAAAAAAAAAAAAAAAAAA",10,20,1,{},0,null,null,7]"#).unwrap();
        assert_eq!((record.subject, record.position), (None, None));
    }

    #[test]
    fn a_later_version_may_append_elements_and_nothing_else() {
        let record = r#"[1,"AAAAAAAAAAAAAAAAAAAAAA",10,20,1,{},0,null,"ada",7"#;
        for rest in ["]", r#","new"]"#, ",null,[1]]"] {
            let read = Record::decode(&format!("{record}{rest}"));
            assert_eq!(read.unwrap().position, Some(7), "{rest}");
        }
        for rest in ["", ",", ",1"] {
            assert!(Record::decode(&format!("{record}{rest}")).is_err(), "{rest}");
        }
    }
}

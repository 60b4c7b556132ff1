//! What a session is: a [`Record`], and its wire form.
//!
//! The wire form is a JSON array, frozen for ever by golden tests:
//! `[format, id, created, seen, version, data, remembered, signed_in, subject]`. Times are in whole
//! seconds, `data` is an object, and the last three are left out from the first on that needs not be said.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::clock::UnixSeconds;
use super::error::Invalid;

/// The number that opens every record of this version of the library.
pub const FORMAT: u32 = 1;

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

    /// The id of this text (22 characters of base64url), if it is one.
    ///
    /// ```
    /// use sealed_sessions::session::Id;
    ///
    /// let id = Id::random().unwrap();
    /// assert_eq!(Id::from_text(&id.to_text()), Some(id));
    /// assert_eq!(Id::from_text("admin"), None);
    /// ```
    pub fn from_text(text: &str) -> Option<Id> {
        let mut bytes = [0; Id::BYTES];
        match text.len() == Id::TEXT && URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).is_ok() {
            true => Some(Id(bytes)),
            false => None,
        }
    }

    /// The id as 22 characters of base64url.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
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

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; Id::TEXT];
        let encoded = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text);
        match (encoded, str::from_utf8(&text)) {
            (Ok(_), Ok(text)) => serializer.serialize_str(text),
            _ => Err(serde::ser::Error::custom("an id is 22 characters")),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Id::from_text(text).ok_or_else(|| de::Error::custom("not an id"))
    }
}

/// A session as a store sees it. It knows no store, no cookie and no Rust type: `data` is the JSON
/// object that the app's type was written as.
#[derive(Clone)]
pub struct Record {
    /// Its name. A new one is given whenever privilege changes.
    pub id: Id,
    /// When the session was opened. Never moves.
    pub created: UnixSeconds,
    /// When it was last used, to within the lesser of a tenth of `idle_timeout` and one minute.
    pub seen: UnixSeconds,
    /// How many times its data was written; 1 for a new session.
    pub version: u32,
    /// The app's data: a JSON object.
    pub data: Box<RawValue>,
    /// Whether this login asked for the longer lifetime.
    pub remembered: bool,
    /// When the subject proved who they are.
    pub signed_in: Option<UnixSeconds>,
    /// Whose session this is; none while it is anonymous.
    pub subject: Option<String>,
}

impl Record {
    /// The wire form.
    ///
    /// # Errors
    /// None that a record of this library can cause.
    pub fn encode(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// The wire form, written to the end of `buffer`.
    pub(crate) fn encode_into(&self, buffer: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(buffer, self)
    }

    /// Reads the wire form.
    ///
    /// # Errors
    /// [`Invalid::Format`] when it is of a format that this version does not know, or of none.
    pub fn decode(text: &str) -> Result<Record, Invalid> {
        match serde_json::from_str(text) {
            Ok(Decoded::Record(record)) => Ok(record),
            Ok(Decoded::Unknown) | Err(_) => Err(Invalid::Format),
        }
    }

    fn tail_length(&self) -> usize {
        match (self.remembered, self.signed_in, &self.subject) {
            (_, _, Some(_)) => 3,
            (_, Some(_), None) => 2,
            (true, None, None) => 1,
            (false, None, None) => 0,
        }
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Record) -> bool {
        self.id == other.id
            && self.created == other.created
            && self.seen == other.seen
            && self.version == other.version
            && self.data.get() == other.data.get()
            && self.remembered == other.remembered
            && self.signed_in == other.signed_in
            && self.subject == other.subject
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("created", &self.created)
            .field("seen", &self.seen)
            .field("version", &self.version)
            .field("data", &format_args!("{} bytes", self.data.get().len()))
            .field("remembered", &self.remembered)
            .field("signed_in", &self.signed_in)
            .field("subject", &self.subject.as_ref().map(|_| ".."))
            .finish()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tail = self.tail_length();
        let mut array = serializer.serialize_seq(Some(6 + tail))?;
        array.serialize_element(&FORMAT)?;
        array.serialize_element(&self.id)?;
        array.serialize_element(&self.created)?;
        array.serialize_element(&self.seen)?;
        array.serialize_element(&self.version)?;
        array.serialize_element(&self.data)?;
        if tail > 0 {
            array.serialize_element(&u8::from(self.remembered))?;
        }
        if tail > 1 {
            array.serialize_element(&self.signed_in)?;
        }
        if tail > 2 {
            array.serialize_element(&self.subject)?;
        }
        array.end()
    }
}

enum Decoded {
    Record(Record),
    Unknown,
}

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decoded, D::Error> {
        deserializer.deserialize_seq(Decoder)
    }
}

struct Decoder;

impl<'de> Visitor<'de> for Decoder {
    type Value = Decoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session record")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Decoded, A::Error> {
        if need::<u32, A>(&mut array)? != FORMAT {
            while array.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Decoded::Unknown);
        }
        let record = Record {
            id: need(&mut array)?,
            created: need(&mut array)?,
            seen: need(&mut array)?,
            version: need(&mut array)?,
            data: need(&mut array)?,
            remembered: array.next_element::<u8>()?.is_some_and(|flag| flag != 0),
            signed_in: array.next_element()?.flatten(),
            subject: array.next_element()?.flatten(),
        };
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Decoded::Record(record))
    }
}

fn need<'de, V: Deserialize<'de>, A: SeqAccess<'de>>(array: &mut A) -> Result<V, A::Error> {
    array.next_element()?.ok_or_else(|| de::Error::custom("a session record has six elements"))
}

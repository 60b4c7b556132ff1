//! The cookie's value itself, part by part, without what would make it a credential.

use rocket::http::CookieJar;
use sealed_sessions::inspect::{NONCE_BYTES, TAG_BYTES};
use serde::Serialize;

use super::Part;

/// Some characters of the value, all of one part.
#[derive(Serialize)]
pub(super) struct Piece {
    label: &'static str,
    slot: usize,
    text: String,
}

/// A session's value as the browser sent it: in one cookie, or in chunks.
pub(super) struct Sent {
    /// The value with its chunks put together.
    pub(super) text: String,
    name: String,
    /// How many cookies it is cut into, as the first of them says; empty for one.
    count: String,
    /// Where each cookie's part of the text ends.
    ends: Vec<usize>,
}

impl Sent {
    pub(super) fn of(jar: &CookieJar<'_>, name: &str) -> Option<Sent> {
        let first = jar.get(name)?.value();
        let (count, begin) = first.split_once('.').unwrap_or(("", first));
        let (mut text, mut ends) = (begin.to_owned(), vec![begin.len()]);
        for chunk in 1..count.parse().unwrap_or(1).min(MAX_CHUNKS) {
            text.push_str(jar.get(&format!("{name}.{chunk}"))?.value());
            ends.push(text.len());
        }
        let count = if count.is_empty() { String::new() } else { format!("{count}.") };
        Some(Sent { text, name: name.to_owned(), count, ends })
    }

    /// The `Cookie` header that sends another text of the same length.
    pub(super) fn header(&self, text: &str) -> String {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let cookies = starts.zip(&self.ends).enumerate().map(|(chunk, (start, end))| {
            let part = text.get(start..*end).unwrap_or_default();
            match chunk {
                0 => format!("{}={}{part}", self.name, self.count),
                _ => format!("{}.{chunk}={part}", self.name),
            }
        });
        cookies.collect::<Vec<_>>().join("; ")
    }
}

const MAX_CHUNKS: usize = 64;

/// The value in the order of its parts. The tag is left out: without it the value opens nothing, so that the page
/// cannot give the session away.
pub(super) fn pieces(jar: &CookieJar<'_>, name: &str, parts: &[Part]) -> Vec<Piece> {
    let Some(Sent { text: value, .. }) = Sent::of(jar, name) else { return Vec::new() };
    let bytes = value.trim_end_matches('=').len() * 3 / 4;
    let tag = bytes.saturating_sub(TAG_BYTES);
    let (mut byte, mut from, mut pieces) = (0, 0, Vec::new());
    for part in parts.iter().filter(|part| is_sealed(part)) {
        byte = (byte + part.bytes).min(bytes);
        // The character in which the part's last bits are.
        let to = if part.label == "Tag" { value.len() } else { (byte.min(tag) * 4 / 3).min(value.len()) };
        let text = value.get(from..to).unwrap_or_default();
        let text = if part.label == "Tag" { "•".repeat(text.len()) } else { text.to_owned() };
        pieces.push(Piece { label: part.label, slot: part.slot, text });
        from = to;
    }
    pieces
}

fn is_sealed(part: &Part) -> bool {
    !["Name", "Base64"].contains(&part.label)
}

/// Where the text inside the seal begins and ends, in characters of the value.
pub(super) fn sealed_text(value: &str) -> (usize, usize) {
    let bytes = value.trim_end_matches('=').len() * 3 / 4;
    ((NONCE_BYTES * 4).div_ceil(3), bytes.saturating_sub(TAG_BYTES) * 4 / 3)
}

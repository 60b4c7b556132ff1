//! A row as Redis keeps it: one string, which begins with a head that the scripts can compare and change.
//!
//! All parts of the head have a fixed width, and its numbers are hexadecimal digits whose order as text is their order
//! as numbers: Lua's own numbers are exact up to 2⁵³ only.

use std::ops::Range;

use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::store::server::backend::{Row, SubjectHash};

/// The length of a head. The scripts know the places of its parts, too.
pub(super) const HEAD: usize = SUBJECT.end;

const VERSION: Range<usize> = 0..8;
const SEEN: Range<usize> = 8..24;
const EXPIRES: Range<usize> = 24..40;
const DUE: Range<usize> = 40..56;
/// A sign and 32 bytes: `+` and the hash of the subject, or nothing but `-`.
const SUBJECT: Range<usize> = 56..89;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// When the entry of a row was due that has none yet.
pub(super) const NEVER: UnixSeconds = UnixSeconds::MIN;

/// How much later than its entry says a row may expire at most. Entries stay for a day longer than they say; the rest
/// of it is for clocks that differ.
const MAX_LAG: i64 = 12 * 3600;

/// Until when a row may live with an entry that was made at `seen` and says `expires`. With at most half its timeout in
/// between, entries remain in the order of use, about.
pub(super) fn due(seen: UnixSeconds, expires: UnixSeconds) -> UnixSeconds {
    expires.saturating_add((expires.saturating_sub(seen) / 2).clamp(0, MAX_LAG))
}

/// The head of a row; see [`due`].
pub(super) fn head(row: &Row, due: UnixSeconds) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    write_digits(&mut head[VERSION], row.version.into());
    head[SEEN].copy_from_slice(&time(row.seen));
    head[EXPIRES].copy_from_slice(&time(row.expires));
    head[DUE].copy_from_slice(&time(due));
    head[SUBJECT].copy_from_slice(&subject(row.subject.as_ref()));
    head
}

/// A version as the head has it.
pub(super) fn version(version: u32) -> [u8; VERSION.end - VERSION.start] {
    let mut digits = [0; _];
    write_digits(&mut digits, version.into());
    digits
}

/// A time as the head has it.
pub(super) fn time(time: UnixSeconds) -> [u8; SEEN.end - SEEN.start] {
    let mut digits = [0; _];
    // Negative times come first.
    write_digits(&mut digits, time.cast_unsigned() ^ (1 << 63));
    digits
}

/// A subject as the head has it.
pub(super) fn subject(subject: Option<&SubjectHash>) -> [u8; SUBJECT.end - SUBJECT.start] {
    let mut bytes = [b'-'; _];
    if let Some(subject) = subject {
        bytes[0] = b'+';
        bytes[1..].copy_from_slice(subject.as_bytes());
    }
    bytes
}

/// Reads a row, or a head alone: a row without a body.
pub(super) fn read(mut value: Vec<u8>) -> Result<Row, StoreError> {
    let head = value.get(..HEAD).ok_or_else(damaged)?;
    let subject = match head[SUBJECT].split_first() {
        Some((b'+', hash)) => Some(read_subject(hash)?),
        _ => None,
    };
    let version = u32::try_from(read_digits(&head[VERSION])?).map_err(|_| damaged())?;
    let (seen, expires) = (read_time(&head[SEEN])?, read_time(&head[EXPIRES])?);
    value.drain(..HEAD);
    Ok(Row { version, seen, expires, subject, body: value })
}

/// Reads what [`time()`] writes.
pub(super) fn read_time(digits: &[u8]) -> Result<UnixSeconds, StoreError> {
    Ok((read_digits(digits)? ^ (1 << 63)).cast_signed())
}

/// Reads the hash of a subject.
pub(super) fn read_subject(hash: &[u8]) -> Result<SubjectHash, StoreError> {
    hash.try_into().map(SubjectHash::from_bytes).map_err(|_| damaged())
}

fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number & 15) as usize];
        number >>= 4;
    }
}

fn read_digits(digits: &[u8]) -> Result<u64, StoreError> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(damaged()),
        };
        Ok(number << 4 | u64::from(digit))
    })
}

pub(super) fn damaged() -> StoreError {
    StoreError::Failed("a session in Redis is not as it was written".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: u32, seen: UnixSeconds, expires: UnixSeconds, subject: Option<SubjectHash>) -> Row {
        Row { version, seen, expires, subject, body: b"body".to_vec() }
    }

    #[test]
    fn a_row_comes_back_as_it_was() {
        let subject = SubjectHash::from_bytes([b'-'; SubjectHash::BYTES]);
        for row in [
            row(0, 0, 0, None),
            row(1, 1_795_000_000, 1_795_001_800, Some(subject)),
            row(u32::MAX, i64::MIN, i64::MAX, Some(subject)),
            row(7, (1 << 53) + 1, -1, None),
        ] {
            let value = [&head(&row, NEVER)[..], &row.body].concat();
            assert_eq!(read(value).unwrap(), row);
        }
    }

    #[test]
    fn times_have_the_order_of_their_texts() {
        let times = [i64::MIN, -2, -1, 0, 1, (1 << 53), (1 << 53) + 1, i64::MAX];
        assert!(times.map(time).is_sorted());
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        for value in [&b""[..], b"0000", &[b'x'; HEAD]] {
            assert!(read(value.to_vec()).is_err());
        }
    }

    #[test]
    fn an_entry_lasts_for_longer_than_its_row_by_less_than_a_day() {
        assert_eq!(due(100, 160), 190);
        assert_eq!(due(0, 30 * 86400), 30 * 86400 + MAX_LAG);
        assert_eq!(due(0, i64::MAX), i64::MAX);
        assert_eq!(due(100, 60), 60);
    }
}

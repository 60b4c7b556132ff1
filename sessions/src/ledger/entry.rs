//! What an entry says, and how it is written.

use crate::clock::UnixSeconds;

/// An entry as a [`Log`](super::Log) keeps it. What it says is in `body`, which no log reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Until when it has to be kept.
    pub until: UnixSeconds,
    /// What it says.
    pub body: Vec<u8>,
}

/// What an entry says. Sessions, subjects and handles are named by keyed hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A session has ended.
    Ended { session: u64 },
    /// A session has a new id from now on, unless it had ended before. `handles` are those of the old id under the node's
    /// keys, the current one first; 0 where there is none, or from a node that did not say.
    Renewed { session: u64, next: u64, handles: [u64; MAX_HANDLES] },
    /// A sign-in that came with the cookie of a session has opened another.
    Replaced { session: u64, next: u64 },
    /// The sessions of a subject have ended, if they were signed in before.
    Subject { subject: u64 },
    /// The sessions with a label have ended, if they were signed in before.
    Label { label: u64 },
    /// The same, by a sign-in of the subject where it may have one session only.
    SignedIn { subject: u64 },
    /// All sessions that were signed in before have ended.
    Everyone,
    /// The session of this handle has ended, if it was signed in before.
    Handle { handle: u64 },
    /// The log had lost entries, and what one node remembers has been put back.
    Mended,
}

/// How many handles a renewal names: those under the current key and three `previous_keys`.
pub(super) const MAX_HANDLES: usize = 4;

const ENDED: u8 = 1;
const RENEWED: u8 = 2;
const SUBJECT: u8 = 3;
const EVERYONE: u8 = 4;
const MENDED: u8 = 5;
const REPLACED: u8 = 6;
const LABEL: u8 = 7;
const HANDLE: u8 = 8;
const SIGNED_IN: u8 = 9;

impl Entry {
    pub(super) fn line(self, until: UnixSeconds) -> Line {
        let mut body = Vec::with_capacity(1 + (2 + MAX_HANDLES) * size_of::<u64>());
        let mut push = |kind, hashes: &[u64]| {
            body.push(kind);
            hashes.iter().for_each(|hash| body.extend(hash.to_be_bytes()));
        };
        match self {
            Entry::Ended { session } => push(ENDED, &[session]),
            Entry::Renewed { session, next, handles } => {
                // The first is there in any case. A later version that has more to say writes all.
                let named = handles.iter().rposition(|handle| *handle != 0).unwrap_or(0) + 1;
                push(RENEWED, &[&[session, next], handles.get(..named).unwrap_or_default()].concat());
            }
            Entry::Replaced { session, next } => push(REPLACED, &[session, next]),
            Entry::Subject { subject } => push(SUBJECT, &[subject]),
            Entry::Label { label } => push(LABEL, &[label]),
            Entry::SignedIn { subject } => push(SIGNED_IN, &[subject]),
            Entry::Everyone => push(EVERYONE, &[]),
            Entry::Handle { handle } => push(HANDLE, &[handle]),
            Entry::Mended => push(MENDED, &[]),
        }
        Line { until, body }
    }

    /// Reads a body; `None` if it is of a kind that this version does not know. Bytes beyond those that it knows are
    /// left to later versions.
    pub(super) fn read(body: &[u8]) -> Option<Entry> {
        let (kind, rest) = body.split_first()?;
        let hash = |n: usize| {
            let bytes = rest.get(n * size_of::<u64>()..)?.first_chunk()?;
            Some(u64::from_be_bytes(*bytes))
        };
        Some(match *kind {
            ENDED => Entry::Ended { session: hash(0)? },
            // An older version wrote no handle.
            RENEWED if rest.len() == 2 * size_of::<u64>() => {
                Entry::Renewed { session: hash(0)?, next: hash(1)?, handles: [0; MAX_HANDLES] }
            }
            RENEWED => {
                let (session, next, first) = (hash(0)?, hash(1)?, hash(2)?);
                // An older version wrote the first alone.
                let handle = |n| if n == 0 { first } else { hash(2 + n).unwrap_or(0) };
                Entry::Renewed { session, next, handles: std::array::from_fn(handle) }
            }
            REPLACED => Entry::Replaced { session: hash(0)?, next: hash(1)? },
            SUBJECT => Entry::Subject { subject: hash(0)? },
            LABEL => Entry::Label { label: hash(0)? },
            SIGNED_IN => Entry::SignedIn { subject: hash(0)? },
            EVERYONE => Entry::Everyone,
            HANDLE => Entry::Handle { handle: hash(0)? },
            MENDED => Entry::Mended,
            _ => return None,
        })
    }
}

/// That an entry which was read from any body is written as it was read.
#[cfg(any(test, fuzzing))]
pub(crate) fn reads_what_it_writes(body: &[u8]) {
    if let Some(entry) = Entry::read(body) {
        let line = entry.line(0);
        // One from before or after this version is longer or shorter.
        assert!(body.starts_with(&line.body) || line.body.starts_with(body));
        assert_eq!(Entry::read(&line.body), Some(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_that_is_written_is_read() {
        for entry in [
            Entry::Ended { session: 1 },
            Entry::Renewed { session: u64::MAX, next: 2, handles: [9, 0, 0, 0] },
            Entry::Renewed { session: 1, next: 2, handles: [9, 8, 7, 6] },
            Entry::Renewed { session: 1, next: 2, handles: [0; MAX_HANDLES] },
            Entry::Replaced { session: 0, next: u64::MAX },
            Entry::Subject { subject: 3 },
            Entry::Label { label: 4 },
            Entry::SignedIn { subject: 4 },
            Entry::Everyone,
            Entry::Handle { handle: 4 },
            Entry::Mended,
        ] {
            let Line { until, mut body } = entry.line(7);
            assert_eq!((until, Entry::read(&body)), (7, Some(entry)));
            if let Entry::Renewed { .. } = entry {
                body.resize(1 + (2 + MAX_HANDLES) * size_of::<u64>(), 0);
            }
            body.extend(b"of a later version");
            assert_eq!(Entry::read(&body), Some(entry));
        }
    }

    #[test]
    fn a_renewal_that_says_no_handle_or_one_is_read_too() {
        let body = [&[RENEWED][..], &1_u64.to_be_bytes(), &2_u64.to_be_bytes()].concat();
        let renewed = |handles| Some(Entry::Renewed { session: 1, next: 2, handles });
        assert_eq!(Entry::read(&body), renewed([0; MAX_HANDLES]));
        let one = [&body[..], &3_u64.to_be_bytes()].concat();
        assert_eq!(Entry::read(&one), renewed([3, 0, 0, 0]));
        // What such a version reads of an entry is what it would have written.
        let Line { body, .. } = Entry::Renewed { session: 1, next: 2, handles: [3, 4, 0, 0] }.line(0);
        assert!(body.starts_with(&one) && body.len() == one.len() + size_of::<u64>());
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for body in [
            &b""[..],
            b"\x01",
            b"\x01\0\0\0\0\0\0\0",
            b"\x02\0\0\0\0\0\0\0\x01",
            b"\0",
            b"\xffabcdefgh",
            b"\x02abcdefghabcdefghabc",
        ] {
            assert_eq!(Entry::read(body), None, "{body:?}");
        }
    }
}

//! The entries that still matter, in this node's memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::entry::{Entry, MAX_HANDLES};
use crate::clock::UnixSeconds;
use crate::store::RENEWAL_GRACE;

/// What has ended, by hashes.
#[derive(Default)]
pub(super) struct Table {
    sessions: HashMap<u64, Kept, BuildHasherDefault<AlreadyHashed>>,
    subjects: HashMap<u64, Kept, BuildHasherDefault<AlreadyHashed>>,
    labels: HashMap<u64, Kept, BuildHasherDefault<AlreadyHashed>>,
    /// The last sign-ins of subjects that may have one session only.
    sign_ins: HashMap<u64, Kept, BuildHasherDefault<AlreadyHashed>>,
    everyone: Option<Kept>,
    /// Sessions that ended by their handles.
    handles: HashMap<u64, Kept, BuildHasherDefault<AlreadyHashed>>,
    /// The highest position of those.
    last_handle: u64,
    /// What sessions that this node has seen renewed in the last minute have become.
    renewals: HashMap<u64, Renewal, BuildHasherDefault<AlreadyHashed>>,
}

/// An entry: 16 bytes, and 8 for the hash.
#[derive(Clone, Copy)]
struct Kept {
    position: u64,
    /// The seconds since 1970, up to the year 2106.
    until: u32,
    has_ended: bool,
}

impl Kept {
    /// Adds an entry that says the same: the later position and the later end count, whichever entry comes first.
    fn raise(&mut self, other: Kept) {
        self.position = self.position.max(other.position);
        self.until = self.until.max(other.until);
    }
}

struct Renewal {
    /// By this node's clock: it need not agree with the others' about the minute.
    seen: UnixSeconds,
    /// In the log's order.
    next: Vec<u64>,
    /// Those that its entry names.
    handles: [u64; MAX_HANDLES],
}

/// What has become of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    GoesOn,
    Ended,
    /// It was renewed within the grace.
    Superseded,
}

impl Table {
    /// Takes in an entry; of two about the same session the earlier position counts. Entries come in the log's
    /// order, and may come twice.
    pub(super) fn apply(&mut self, position: u64, entry: Entry, until: UnixSeconds, now: UnixSeconds) {
        let until = u32::try_from(until.max(0)).unwrap_or(u32::MAX);
        let kept = Kept { position, until, has_ended: false };
        match entry {
            Entry::Ended { session } => {
                let known = self.sessions.entry(session).or_insert(kept);
                known.until = known.until.max(until);
                known.has_ended = true;
            }
            Entry::Renewed { session, next, .. } | Entry::Replaced { session, next } => {
                let known = self.sessions.entry(session).or_insert(kept);
                known.until = known.until.max(until);
                if known.has_ended && matches!(entry, Entry::Renewed { .. }) {
                    return;
                }
                let handles = match entry {
                    Entry::Renewed { handles, .. } => handles,
                    _ => Default::default(),
                };
                let fresh = || Renewal { seen: now, next: Vec::new(), handles };
                let renewal = self.renewals.entry(session).or_insert_with(fresh);
                if !renewal.next.contains(&next) {
                    // Of one that nobody has swept out yet nothing counts.
                    if !is_recent(renewal, now) {
                        *renewal = fresh();
                    }
                    renewal.next.push(next);
                }
            }
            Entry::Subject { subject } => self.subjects.entry(subject).or_insert(kept).raise(kept),
            Entry::SignedIn { subject } => self.sign_ins.entry(subject).or_insert(kept).raise(kept),
            Entry::Label { label } => self.labels.entry(label).or_insert(kept).raise(kept),
            Entry::Everyone => self.everyone.get_or_insert(kept).raise(kept),
            Entry::Handle { handle } => {
                self.handles.entry(handle).or_insert(kept).raise(kept);
                self.last_handle = self.last_handle.max(position);
            }
            Entry::Mended => {}
        }
    }

    /// What has become of the session of an id.
    pub(super) fn fate(&self, session: u64, now: UnixSeconds) -> Fate {
        match self.sessions.get(&session) {
            None => Fate::GoesOn,
            Some(_) if self.renewal(session, now).is_some() => Fate::Superseded,
            Some(_) => Fate::Ended,
        }
    }

    /// The position of the first entry for a session.
    pub(super) fn entered_at(&self, session: u64) -> Option<u64> {
        self.sessions.get(&session).map(|kept| kept.position)
    }

    /// Whether a session of a subject that was sealed at this position has ended with all others.
    pub(super) fn has_ended_all(&self, subject: u64, sealed_at: u64) -> bool {
        self.has_revoked_all(subject, sealed_at)
            || self.sign_ins.get(&subject).is_some_and(|kept| sealed_at < kept.position)
    }

    /// The same, but for what later sign-ins of the subject have ended.
    pub(super) fn has_revoked_all(&self, subject: u64, sealed_at: u64) -> bool {
        sealed_at < self.everyone_below()
            || self.subjects.get(&subject).is_some_and(|kept| sealed_at < kept.position)
    }

    /// Whether a session with a label that was sealed at this position has ended with all others of the label.
    pub(super) fn has_ended_label(&self, label: u64, sealed_at: u64) -> bool {
        self.labels.get(&label).is_some_and(|kept| sealed_at < kept.position)
    }

    /// Whether a session that was sealed at this position may have ended by its handle. If not, nobody has to work its
    /// handle out: that takes longer than all the rest.
    pub(super) fn may_have_ended_by_handle(&self, sealed_at: u64) -> bool {
        sealed_at < self.last_handle
    }

    /// Whether a session of a handle that was sealed at this position has ended by it.
    pub(super) fn has_ended_by_handle(&self, handle: u64, sealed_at: u64) -> bool {
        self.handles.get(&handle).is_some_and(|kept| sealed_at < kept.position)
    }

    /// Everyone's sessions that were sealed below this position have ended.
    pub(super) fn everyone_below(&self) -> u64 {
        self.everyone.map_or(0, |kept| kept.position)
    }

    /// What a session has become within the grace, in the order of the log.
    pub(super) fn renewed_to(&self, session: u64, now: UnixSeconds) -> &[u64] {
        self.renewal(session, now).map_or(&[], |renewal| &renewal.next)
    }

    /// Whether the first that became of a session, within the grace, is `next`.
    pub(super) fn has_become(&self, session: u64, next: u64, now: UnixSeconds) -> bool {
        self.renewed_to(session, now).first() == Some(&next)
    }

    fn renewal(&self, session: u64, now: UnixSeconds) -> Option<&Renewal> {
        self.renewals.get(&session).filter(|renewal| is_recent(renewal, now))
    }

    /// Forgets the entries that no longer matter at `due`, and the renewals that do not `now`.
    pub(super) fn forget(&mut self, due: UnixSeconds, now: UnixSeconds) {
        let matters = |kept: &Kept| due < UnixSeconds::from(kept.until);
        for kept in
            [&mut self.sessions, &mut self.subjects, &mut self.sign_ins, &mut self.labels, &mut self.handles]
        {
            kept.retain(|_, kept| matters(kept));
            give_back_room(kept);
        }
        self.last_handle = self.handles.values().map(|kept| kept.position).max().unwrap_or(0);
        // The entry for everyone is one, and stays: a new one has to be above it.
        self.renewals.retain(|_, renewal| is_recent(renewal, now));
        give_back_room(&mut self.renewals);
    }

    /// How many entries it holds.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
            + self.subjects.len()
            + self.sign_ins.len()
            + self.labels.len()
            + self.handles.len()
            + usize::from(self.everyone.is_some())
    }

    /// Its entries, with their positions and until when they matter.
    pub(super) fn entries(&self) -> Vec<(u64, Entry, UnixSeconds)> {
        let entry = |kept: &Kept, entry| (kept.position, entry, UnixSeconds::from(kept.until));
        let sessions = self.sessions.iter().map(|(session, kept)| {
            let session = *session;
            // What it has become matters for a minute only; without that it has ended.
            let renewal = self.renewals.get(&session).filter(|_| !kept.has_ended);
            let renewed = renewal.and_then(|renewal| {
                Some(Entry::Renewed { session, next: *renewal.next.first()?, handles: renewal.handles })
            });
            entry(kept, renewed.unwrap_or(Entry::Ended { session }))
        });
        let subjects =
            self.subjects.iter().map(|(subject, kept)| entry(kept, Entry::Subject { subject: *subject }));
        let labels = self.labels.iter().map(|(label, kept)| entry(kept, Entry::Label { label: *label }));
        let handles =
            self.handles.iter().map(|(handle, kept)| entry(kept, Entry::Handle { handle: *handle }));
        let sign_ins =
            self.sign_ins.iter().map(|(subject, kept)| entry(kept, Entry::SignedIn { subject: *subject }));
        let everyone = self.everyone.iter().map(|kept| entry(kept, Entry::Everyone));
        sessions.chain(subjects).chain(sign_ins).chain(labels).chain(handles).chain(everyone).collect()
    }

    /// Whether what an entry says is known here.
    pub(super) fn knows(&self, position: u64, entry: Entry) -> bool {
        match entry {
            Entry::Ended { session } | Entry::Renewed { session, .. } | Entry::Replaced { session, .. } => {
                self.sessions.contains_key(&session)
            }
            Entry::Subject { subject } => {
                self.subjects.get(&subject).is_some_and(|kept| position <= kept.position)
            }
            Entry::Label { label } => self.labels.get(&label).is_some_and(|kept| position <= kept.position),
            Entry::SignedIn { subject } => {
                self.sign_ins.get(&subject).is_some_and(|kept| position <= kept.position)
            }
            Entry::Everyone => position <= self.everyone_below(),
            Entry::Handle { handle } => {
                self.handles.get(&handle).is_some_and(|kept| position <= kept.position)
            }
            Entry::Mended => true,
        }
    }
}

/// Gives back what a map has no more use for.
fn give_back_room<V>(map: &mut HashMap<u64, V, BuildHasherDefault<AlreadyHashed>>) {
    if map.len() < map.capacity() / 4 {
        map.shrink_to_fit();
    }
}

fn is_recent(renewal: &Renewal, now: UnixSeconds) -> bool {
    now < renewal.seen.saturating_add(RENEWAL_GRACE)
}

/// A keyed hash is hashed well enough.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_works_out_a_handle_unless_an_entry_above_its_session_still_matters() {
        let mut table = Table::default();
        assert!(!table.may_have_ended_by_handle(0));
        table.apply(5, Entry::Handle { handle: 1 }, 1000, 0);
        table.apply(9, Entry::Handle { handle: 2 }, 2000, 0);
        assert!(table.may_have_ended_by_handle(8) && !table.may_have_ended_by_handle(9));
        assert!(table.has_ended_by_handle(1, 4) && !table.has_ended_by_handle(1, 5));
        table.forget(2000, 2000);
        assert!(!table.may_have_ended_by_handle(0) && table.len() == 0);
    }

    #[test]
    fn an_entry_of_each_kind_counts_and_is_listed_once_and_forgotten_in_its_time() {
        let mut table = Table::default();
        let entries = [
            Entry::Ended { session: 1 },
            Entry::Renewed { session: 2, next: 3, handles: [4, 5, 0, 0] },
            Entry::Subject { subject: 5 },
            Entry::SignedIn { subject: 6 },
            Entry::Label { label: 7 },
            Entry::Handle { handle: 8 },
            Entry::Everyone,
        ];
        for (position, entry) in (10..).zip(entries) {
            for _ in 0..2 {
                table.apply(position, entry, 1000, 900);
            }
            assert!(table.knows(position, entry));
            // That a session has ended is known whatever the position; of the others a later entry says more.
            let is_of_a_session = matches!(entry, Entry::Ended { .. } | Entry::Renewed { .. });
            assert_eq!(table.knows(position + 1, entry), is_of_a_session, "{entry:?}");
        }
        assert_eq!(table.len(), entries.len());
        let mut listed = table.entries();
        listed.sort_by_key(|(position, ..)| *position);
        let all: Vec<_> = (10..).zip(entries).map(|(position, entry)| (position, entry, 1000)).collect();
        assert_eq!(listed, all);
        table.forget(999, 999);
        assert_eq!(table.len(), entries.len());
        table.forget(1000, 1000);
        assert_eq!(table.len(), 1, "the entry for everyone stays");
    }

    #[test]
    fn of_two_entries_that_say_the_same_the_later_position_and_the_later_end_count() {
        let kinds = [
            Entry::Subject { subject: 1 },
            Entry::SignedIn { subject: 1 },
            Entry::Label { label: 1 },
            Entry::Handle { handle: 1 },
            Entry::Everyone,
        ];
        for entry in kinds {
            for ends in [[1000, 2000], [2000, 1000]] {
                for order in [[0, 1], [1, 0]] {
                    let mut table = Table::default();
                    for which in order {
                        table.apply([5, 9][which], entry, ends[which], 0);
                    }
                    assert_eq!(table.entries(), [(9, entry, 2000)]);
                }
            }
        }
    }

    #[test]
    fn room_is_given_back_when_most_entries_are_forgotten_and_not_before() {
        let filled = |short: u64| {
            let mut table = Table::default();
            for session in 0..10_000 {
                table.apply(session, Entry::Ended { session }, if session < short { 10 } else { 20 }, 0);
            }
            let before = table.sessions.capacity();
            table.forget(10, 10);
            (before, table.sessions.capacity())
        };
        let (before, after) = filled(6_000);
        assert!(after > before / 2, "{after} of {before}");
        let (before, after) = filled(9_990);
        assert!(after < before / 100, "{after} of {before}");
    }

    #[test]
    fn the_room_of_renewals_is_given_back_once_they_are_over() {
        let mut table = Table::default();
        for session in 0..10_000 {
            let entry = Entry::Replaced { session, next: session + 1 };
            table.apply(session, entry, 1000, 0);
        }
        table.forget(0, RENEWAL_GRACE);
        assert_eq!((table.renewals.capacity(), table.sessions.len()), (0, 10_000));
    }

    #[test]
    fn a_sign_in_over_a_dead_session_supersedes_it_anew_also_after_another_that_is_over() {
        let mut table = Table::default();
        let replaced = |next| Entry::Replaced { session: 1, next };
        table.apply(1, replaced(2), 10_000, 500);
        table.apply(2, replaced(3), 10_000, 501 + RENEWAL_GRACE);
        assert_eq!(table.renewed_to(1, 501 + RENEWAL_GRACE), [3]);
        assert_eq!(table.fate(1, 500 + 2 * RENEWAL_GRACE), Fate::Superseded);
        assert_eq!(table.fate(1, 501 + 2 * RENEWAL_GRACE), Fate::Ended);
        // One that comes twice, when the log is read again, is no other.
        table.apply(2, replaced(3), 10_000, 501 + 2 * RENEWAL_GRACE);
        assert_eq!(table.fate(1, 501 + 2 * RENEWAL_GRACE), Fate::Ended);
    }

    #[test]
    fn a_renewed_session_is_superseded_for_the_grace_and_ended_from_then_on() {
        let mut table = Table::default();
        table.apply(1, Entry::Renewed { session: 1, next: 2, handles: [0; MAX_HANDLES] }, 10_000, 500);
        let fates = [500, 500 + RENEWAL_GRACE - 1, 500 + RENEWAL_GRACE].map(|now| table.fate(1, now));
        assert_eq!(fates, [Fate::Superseded, Fate::Superseded, Fate::Ended]);
        assert_eq!(table.fate(2, 500), Fate::GoesOn);
    }
}

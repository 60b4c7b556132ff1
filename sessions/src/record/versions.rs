//! The newest version of each session that this process has seen, so that it knows an older one when it comes.

use std::sync::{Mutex, PoisonError};

use super::id::Id;

/// How many sets a table has. Ids are random, so the first bits of one choose its set.
const SETS: usize = 4096;

/// How many sessions a set holds. The one that was used least recently makes room for another.
const WAYS: usize = 8;

/// The version of a new session. Nothing is older, so that it need not be known.
const FIRST: u32 = 1;

/// The newest versions of up to 32,768 sessions, in 0.8 MB that never grow. A session that was forgotten is like one
/// that was never seen: an older version of it is not noticed, and no other is taken for it. Empty, it notices nothing.
#[derive(Default)]
pub(crate) struct Versions {
    sets: Box<[Mutex<Set>]>,
}

/// The session that was used last comes first.
#[derive(Default)]
struct Set([Slot; WAYS]);

#[derive(Clone, Copy)]
struct Slot {
    id: Id,
    /// The highest version that came from a browser or was sent to one.
    seen: u32,
    /// The highest version that a write was given. A write that failed was never seen.
    given: u32,
}

impl Default for Slot {
    fn default() -> Slot {
        Slot { id: Id::from_bytes([0; Id::BYTES]), seen: 0, given: 0 }
    }
}

impl Versions {
    /// A table that notices.
    pub(crate) fn noticing() -> Versions {
        Versions { sets: (0..SETS).map(|_| Mutex::default()).collect() }
    }

    /// Takes in a version of a session, and returns the highest that was seen.
    pub(crate) fn see(&self, id: &Id, version: u32) -> u32 {
        let seen = self.with_slot(id, version > FIRST, |slot| {
            slot.seen = slot.seen.max(version);
            slot.seen
        });
        seen.unwrap_or(version)
    }

    /// A version for a write over `version`: above it, above all that were seen, and no other write's.
    pub(crate) fn above(&self, id: &Id, version: u32) -> u32 {
        let given = self.with_slot(id, true, |slot| {
            slot.given = version.max(slot.seen).max(slot.given).saturating_add(1);
            slot.given
        });
        given.unwrap_or_else(|| version.saturating_add(1))
    }

    /// Runs `look` on a session's slot. `None` if it has none and is to get none.
    fn with_slot<R>(&self, id: &Id, adds: bool, look: impl FnOnce(&mut Slot) -> R) -> Option<R> {
        let [first, second, ..] = *id.as_bytes();
        let set = self.sets.get(usize::from(u16::from_le_bytes([first, second])) % SETS)?;
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        set.slot(id, adds).map(look)
    }
}

impl Set {
    fn slot(&mut self, id: &Id, adds: bool) -> Option<&mut Slot> {
        let Set(slots) = self;
        match slots.iter().position(|slot| slot.id == *id) {
            Some(at) => slots.get_mut(..=at)?.rotate_right(1),
            None if adds => {
                slots.rotate_right(1);
                *slots.first_mut()? = Slot { id: *id, ..Slot::default() };
            }
            None => return None,
        }
        slots.first_mut()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const CAPACITY: usize = SETS * WAYS;

    fn id(number: u128) -> Id {
        // An odd factor mixes the bits and keeps every two numbers apart.
        Id::from_bytes(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes())
    }

    #[test]
    fn nearly_all_sessions_are_remembered_while_there_is_room() {
        let versions = Versions::noticing();
        let ids = || (0..u128::try_from(CAPACITY / 4).unwrap()).map(id);
        ids().for_each(|id| assert_eq!(versions.see(&id, 2), 2));
        let remembered = ids().filter(|id| versions.see(id, 1) == 2).count();
        assert!(remembered > CAPACITY / 4 * 99 / 100, "{remembered} of {}", CAPACITY / 4);
    }

    #[test]
    fn an_older_version_is_below_the_highest_that_was_seen() {
        let versions = Versions::noticing();
        assert_eq!(versions.see(&id(1), 5), 5);
        assert_eq!(versions.see(&id(1), 2), 5);
        assert_eq!(versions.see(&id(2), 2), 2, "another session");
    }

    #[test]
    fn a_write_is_above_all_that_were_seen_and_all_other_writes() {
        let versions = Versions::noticing();
        versions.see(&id(1), 5);
        assert_eq!(versions.above(&id(1), 2), 6);
        assert_eq!(versions.above(&id(1), 2), 7);
        assert_eq!(versions.see(&id(1), 5), 5, "neither was sent");
        assert_eq!(versions.above(&id(1), u32::MAX), u32::MAX);
    }

    #[test]
    fn an_empty_table_notices_nothing() {
        let versions = Versions::default();
        assert_eq!(versions.above(&id(1), 5), 6);
        assert_eq!((versions.see(&id(1), 6), versions.see(&id(1), 2)), (6, 2));
    }

    #[test]
    fn it_is_as_large_as_is_promised() {
        assert_eq!(CAPACITY, 32_768);
        assert!(SETS * size_of::<Mutex<Set>>() <= 820_000);
    }

    #[test]
    fn sessions_beyond_its_room_make_it_forget_and_never_mistake() {
        let versions = Versions::noticing();
        versions.see(&id(0), 9);
        for number in 1..=100 * CAPACITY as u128 {
            let own = u32::try_from(number % 7 + 1).unwrap();
            assert_eq!(versions.see(&id(number), own), own, "number {number}");
        }
        assert_eq!(versions.see(&id(0), 2), 2, "it was forgotten");
    }

    #[test]
    fn visitors_of_one_page_make_it_forget_nobody() {
        let versions = Versions::noticing();
        versions.see(&id(0), 9);
        for number in 1..=10 * CAPACITY as u128 {
            versions.see(&id(number), FIRST);
        }
        assert_eq!(versions.see(&id(0), 2), 9);
    }

    #[test]
    fn a_session_in_use_is_not_forgotten() {
        let versions = Versions::noticing();
        versions.see(&id(0), 9);
        for number in 1..=10 * CAPACITY as u128 {
            versions.see(&id(number), 2);
            assert_eq!(versions.see(&id(0), 3), 9, "after {number} others");
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        See,
        Write { is_sent: bool },
    }

    fn steps() -> impl Strategy<Value = Vec<(u128, u32, Step)>> {
        let step = prop_oneof![Just(Step::See), any::<bool>().prop_map(|is_sent| Step::Write { is_sent })];
        // Ids that share one set, more than it has room for, and half of their bits.
        let ids = (0..12_u128).prop_map(|number| ((number / 4) << 64) | (number % 4));
        prop::collection::vec((ids, 1..6_u32, step), 0..200)
    }

    proptest! {
        #[test]
        fn it_says_no_version_that_this_process_has_not_seen(steps in steps()) {
            let versions = Versions::noticing();
            let mut highest: HashMap<u128, u32> = HashMap::new();
            for (number, version, step) in steps {
                let id = Id::from_bytes(number.to_be_bytes());
                let highest = highest.entry(number).or_default();
                *highest = version.max(*highest);
                let seen = versions.see(&id, version);
                prop_assert!((version..=*highest).contains(&seen), "{seen} of {highest}");
                if let Step::Write { is_sent } = step {
                    let written = versions.above(&id, version);
                    prop_assert!(written > seen);
                    if is_sent {
                        prop_assert_eq!(versions.see(&id, written), written, "it is the newest");
                        *highest = written.max(*highest);
                    }
                }
            }
        }
    }
}

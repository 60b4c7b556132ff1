//! Copies of cookies, kept from before the session ended: what somebody would have who took one.

use std::sync::Mutex;
use std::time::Duration;

use world::Jar;

use crate::dice::Dice;
use crate::outages::{Outages, Part};
use crate::settings::REVOCABLE;

/// Within which time a process learns from the ledger what another has entered (docs/logout.md: after about a
/// second).
pub const KNOWN_AFTER: Duration = Duration::from_secs(2);

/// The same while the ledger is away: `revocation_max_age`, in whole seconds of a clock.
const KNOWN_AFTER_OUTAGE: Duration = Duration::from_secs(11);

/// A copy of the cookie of a session whose end was acknowledged.
#[derive(Clone)]
pub struct Copy {
    pub jar: Jar,
    /// The key that has sealed it: a process without that opens it in no case.
    pub key: &'static str,
    pub realm: &'static str,
    /// What has ended it.
    pub what: &'static str,
    /// Who acknowledged it, and when the answer was there.
    pub process: usize,
    pub ended: Duration,
}

impl Copy {
    /// Whether it may still open the session at a process that is asked at this time.
    pub fn may_open(&self, process: usize, asked: Duration, outages: &Outages) -> bool {
        if self.realm != REVOCABLE || process == self.process {
            return false;
        }
        let is_away = outages.was_away(Part::Ledger, self.ended, asked);
        asked < self.ended + if is_away { KNOWN_AFTER_OUTAGE } else { KNOWN_AFTER }
    }
}

/// All of them.
#[derive(Default)]
pub struct Copies(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Those that a key still opens.
    open: Vec<Copy>,
    lost: usize,
    lost_keys: Vec<&'static str>,
}

/// How many there are.
pub struct Counted {
    pub open: usize,
    /// Those that no process has a key for any more.
    pub lost: usize,
}

impl Copies {
    pub fn keep(&self, copy: Copy) {
        let mut kept = self.0.lock().unwrap();
        if kept.lost_keys.contains(&copy.key) {
            kept.lost += 1;
        } else {
            kept.open.push(copy);
        }
    }

    /// Takes away those of a key that no process has any more: that they stay dead shows nothing.
    pub fn lose(&self, key: &'static str) {
        let mut kept = self.0.lock().unwrap();
        let before = kept.open.len();
        kept.open.retain(|copy| copy.key != key);
        kept.lost += before - kept.open.len();
        kept.lost_keys.push(key);
    }

    /// Any of them, half of the time one of the last few.
    pub fn any(&self, dice: &mut Dice) -> Option<Copy> {
        let copies = &self.0.lock().unwrap().open;
        let count = copies.len();
        let recent = if dice.below(2) == 0 { count.min(10) } else { count };
        (count > 0).then(|| copies[count - 1 - dice.below(recent)].clone())
    }

    /// Every `step`th of them, from `first` on.
    pub fn each(&self, first: usize, step: usize) -> Vec<Copy> {
        self.0.lock().unwrap().open.iter().skip(first).step_by(step).cloned().collect()
    }

    pub fn counted(&self) -> Counted {
        let kept = self.0.lock().unwrap();
        Counted { open: kept.open.len(), lost: kept.lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::STATEFUL;

    fn ended_at_10_s(realm: &'static str) -> Copy {
        let (jar, ended) = (Jar::default(), Duration::from_secs(10));
        Copy { jar, key: "a key", realm, what: "logout", process: 0, ended }
    }

    fn may_open(realm: &'static str, process: usize, millis: u64, outages: &Outages) -> bool {
        ended_at_10_s(realm).may_open(process, Duration::from_millis(millis), outages)
    }

    #[test]
    fn where_the_logout_was_acknowledged_a_copy_may_never_open() {
        for realm in [REVOCABLE, STATEFUL] {
            assert!(!may_open(realm, 0, 10_001, &Outages::default()), "{realm}");
        }
    }

    #[test]
    fn elsewhere_a_copy_may_open_for_two_seconds_with_a_ledger_and_never_with_a_store() {
        let none = Outages::default();
        assert!(may_open(REVOCABLE, 1, 11_900, &none) && !may_open(REVOCABLE, 1, 12_100, &none));
        assert!(!may_open(STATEFUL, 1, 10_001, &none));
    }

    #[test]
    fn elsewhere_a_copy_may_open_for_the_ledgers_greatest_age_while_the_ledger_is_away() {
        let outages = Outages::default();
        outages.begin("away", Part::Ledger, Duration::from_secs(10));
        assert!(may_open(REVOCABLE, 1, 20_900, &outages) && !may_open(REVOCABLE, 1, 21_100, &outages));
        assert!(!may_open(REVOCABLE, 0, 10_001, &outages), "not where it was acknowledged");
    }

    #[test]
    fn a_copy_whose_key_is_gone_is_no_longer_tried() {
        let copies = Copies::default();
        copies.keep(ended_at_10_s(STATEFUL));
        copies.keep(Copy { key: "another key", ..ended_at_10_s(STATEFUL) });
        copies.lose("a key");
        copies.keep(ended_at_10_s(STATEFUL));
        assert_eq!(copies.each(0, 1).iter().map(|copy| copy.key).collect::<Vec<_>>(), ["another key"]);
        assert_eq!((copies.counted().open, copies.counted().lost), (1, 2));
    }
}

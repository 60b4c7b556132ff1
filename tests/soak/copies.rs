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
pub struct Copies(Mutex<Vec<Copy>>);

impl Copies {
    pub fn keep(&self, copy: Copy) {
        self.0.lock().unwrap().push(copy);
    }

    /// Any of them, half of the time one of the last few.
    pub fn any(&self, dice: &mut Dice) -> Option<Copy> {
        let copies = self.0.lock().unwrap();
        let count = copies.len();
        let recent = if dice.below(2) == 0 { count.min(10) } else { count };
        (count > 0).then(|| copies[count - 1 - dice.below(recent)].clone())
    }

    /// Every `step`th of them, from `first` on.
    pub fn each(&self, first: usize, step: usize) -> Vec<Copy> {
        self.0.lock().unwrap().iter().skip(first).step_by(step).cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::STATEFUL;

    fn ended_at_10_s(realm: &'static str) -> Copy {
        Copy { jar: Jar::default(), realm, what: "logout", process: 0, ended: Duration::from_secs(10) }
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
}

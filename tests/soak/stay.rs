//! What a visitor knows of their session in a realm, and what a page must show because of it.

use std::ops::RangeInclusive;

use world::Answer;

/// Who the visitor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Nobody,
    /// The sign-in to this account was acknowledged.
    Account(String),
    /// The answer to this did not come: it may have been done.
    Unsure(Goal),
}

/// What the visitor wants, and tries again until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// To have this new account.
    Register(String),
    SignIn,
    SignOut(String),
    /// To give the password of this account again.
    Confirm(String),
}

/// The session of one visitor in one realm.
pub struct Stay {
    pub realm: &'static str,
    pub who: Who,
    /// How many visits it may count, as far as that is known.
    pub visits: Option<RangeInclusive<u64>>,
}

impl Stay {
    pub fn new(realm: &'static str) -> Stay {
        Stay { realm, who: Who::Nobody, visits: Some(0..=0) }
    }

    /// What is wrong with a page of the realm: it shows somebody else than who is signed in.
    pub fn problem(&self, page: &Answer) -> Option<String> {
        let shown = signed_in_as(page);
        match &self.who {
            Who::Unsure(_) => None,
            Who::Nobody => shown.map(|name| format!("expected nobody to be signed in, got {name}")),
            Who::Account(name) if shown == Some(name) => None,
            Who::Account(name) => Some(format!("expected {name} to be signed in, got {shown:?}")),
        }
    }

    /// Takes down how many visits a page counts. Returns what is wrong with that: one was lost, or counted twice.
    pub fn count(&mut self, shown: u64) -> Option<String> {
        let before = self.visits.replace(shown..=shown)?;
        let expected = before.start() + 1..=before.end() + 1;
        (!expected.contains(&shown)).then(|| format!("expected {expected:?} visits, got {shown}"))
    }

    /// A visit may have been counted, or not.
    pub fn miss_a_visit(&mut self) {
        self.visits = self.visits.take().map(|known| *known.start()..=known.end() + 1);
    }
}

/// Whom the head of a page names.
pub fn signed_in_as(page: &Answer) -> Option<&str> {
    Some(page.body.split_once("Signed in as </span><b>")?.1.split_once('<')?.0)
}

#[cfg(test)]
mod tests {
    use world::{Jar, program};

    use super::*;
    use crate::settings::STATELESS;

    #[test]
    fn the_head_of_a_page_names_who_is_signed_in_and_nobody_else() {
        let app = program!().start(&[]);
        let (mut ada, mut nobody) = (app.register("ada"), Jar::default());
        assert_eq!(signed_in_as(&app.get(&mut ada, STATELESS)), Some("ada"));
        assert_eq!(signed_in_as(&app.get(&mut nobody, STATELESS)), None);
    }

    fn stay(visits: RangeInclusive<u64>) -> Stay {
        Stay { visits: Some(visits), ..Stay::new("/stateful") }
    }

    #[test]
    fn a_visit_that_was_acknowledged_has_to_be_counted_once() {
        assert_eq!(stay(3..=3).count(4), None);
        for wrong in [1, 3, 5] {
            assert!(stay(3..=3).count(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_visit_whose_answer_was_lost_may_be_counted_or_not() {
        for (shown, is_fine) in [(3, false), (4, true), (5, true), (6, false)] {
            let mut stay = stay(3..=3);
            stay.miss_a_visit();
            assert_eq!(stay.count(shown).is_none(), is_fine, "{shown}");
        }
    }
}

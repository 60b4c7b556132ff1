//! What browsers do: mixes of requests, each a cycle that clients repeat.
//!
//! Visitors are signed in unless a mix says otherwise: with a ledger, a change by somebody who is not may be a sign-in
//! and costs more.

use hyper::{Method, Uri};

/// A mix of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mix {
    /// A route that takes no session: the ceiling.
    Bare,
    /// Only reads.
    Read,
    /// 95 reads and 5 writes of a hundred.
    ReadHeavy,
    /// As many writes as reads.
    WriteHeavy,
    /// As many writes as reads, by visitors who are not signed in.
    Anonymous,
    /// A login, eight reads, a logout.
    Login,
}

/// The mixes by which stores are compared.
pub(super) const MIXES: [Mix; 5] = [Mix::Read, Mix::ReadHeavy, Mix::WriteHeavy, Mix::Anonymous, Mix::Login];

/// One request of a cycle, and whether the same visitor makes the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Bare,
    Read,
    Write,
    SignIn,
    SignOut,
}

impl Mix {
    pub(super) fn name(self) -> &'static str {
        match self {
            Mix::Bare => "bare route",
            Mix::Read => "read only",
            Mix::ReadHeavy => "read-heavy",
            Mix::WriteHeavy => "write-heavy",
            Mix::Anonymous => "anonymous",
            Mix::Login => "login",
        }
    }

    /// The request number `count` of a client.
    pub(super) fn step(self, count: usize) -> Step {
        match self {
            Mix::Bare => Step::Bare,
            Mix::Read => Step::Read,
            Mix::ReadHeavy if count % 20 == 19 => Step::Write,
            Mix::ReadHeavy => Step::Read,
            Mix::WriteHeavy | Mix::Anonymous if count % 2 == 1 => Step::Write,
            Mix::WriteHeavy | Mix::Anonymous => Step::Read,
            Mix::Login => match count % 10 {
                0 => Step::SignIn,
                9 => Step::SignOut,
                _ => Step::Read,
            },
        }
    }

    /// Which of a client's `visitors` makes the request number `count`.
    pub(super) fn visitor(self, count: usize, visitors: usize) -> usize {
        match self {
            // A login and its logout are one visitor's.
            Mix::Login => (count / 10) % visitors,
            _ => count % visitors,
        }
    }

    /// What gives each visitor a session before it begins.
    pub(super) fn opening(self) -> Option<Step> {
        match self {
            Mix::Bare | Mix::Login => None,
            Mix::Read | Mix::ReadHeavy | Mix::WriteHeavy => Some(Step::SignIn),
            Mix::Anonymous => Some(Step::Write),
        }
    }
}

impl Step {
    pub(super) fn method(self) -> Method {
        match self {
            Step::Bare | Step::Read => Method::GET,
            Step::Write | Step::SignIn | Step::SignOut => Method::POST,
        }
    }

    /// Where it goes, for a visitor who signs in there.
    pub(super) fn uri(self, sign_in: &Uri) -> Uri {
        Uri::from_static(match self {
            Step::Bare => "/bare",
            Step::Read => "/read",
            Step::Write => "/write",
            Step::SignIn => return sign_in.clone(),
            Step::SignOut => "/sign-out",
        })
    }

    /// How many views a session that had `views` has after it.
    pub(super) fn views(self, views: u64) -> u64 {
        match self {
            Step::Bare | Step::Read => views,
            Step::Write | Step::SignIn => views + 1,
            Step::SignOut => 0,
        }
    }

    /// What the server answers when the session has so many views after it.
    pub(super) fn answer(self, views: u64) -> u64 {
        if self == Step::Bare { 0 } else { views }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixes_hold_as_many_writes_as_they_say() {
        let count = |mix: Mix, step| (0..100).filter(|count| mix.step(*count) == step).count();
        assert_eq!(count(Mix::ReadHeavy, Step::Write), 5);
        assert_eq!(count(Mix::WriteHeavy, Step::Write), 50);
        assert_eq!(count(Mix::Anonymous, Step::Write), 50);
        assert_eq!((count(Mix::Login, Step::SignIn), count(Mix::Login, Step::SignOut)), (10, 10));
    }

    #[test]
    fn a_login_and_its_logout_are_one_visitors() {
        let visitors: Vec<_> = (0..20).map(|count| Mix::Login.visitor(count, 17)).collect();
        assert_eq!(visitors, [[0; 10], [1; 10]].concat());
    }
}

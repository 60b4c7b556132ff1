//! What browsers do: mixes of requests, each a cycle that clients repeat.

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
    /// A login, eight reads, a logout.
    Login,
}

/// The mixes by which stores are compared.
pub(super) const MIXES: [Mix; 4] = [Mix::Read, Mix::ReadHeavy, Mix::WriteHeavy, Mix::Login];

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
            Mix::WriteHeavy if count % 2 == 1 => Step::Write,
            Mix::WriteHeavy => Step::Read,
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

    /// Whether its visitors have sessions before it begins.
    pub(super) fn has_sessions(self) -> bool {
        matches!(self, Mix::Read | Mix::ReadHeavy | Mix::WriteHeavy)
    }
}

impl Step {
    pub(super) fn method(self) -> Method {
        match self {
            Step::Bare | Step::Read => Method::GET,
            Step::Write | Step::SignIn | Step::SignOut => Method::POST,
        }
    }

    pub(super) fn uri(self) -> Uri {
        Uri::from_static(match self {
            Step::Bare => "/bare",
            Step::Read => "/read",
            Step::Write => "/write",
            Step::SignIn => "/sign-in?name=visitor",
            Step::SignOut => "/sign-out",
        })
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
        assert_eq!((count(Mix::Login, Step::SignIn), count(Mix::Login, Step::SignOut)), (10, 10));
    }

    #[test]
    fn a_login_and_its_logout_are_one_visitors() {
        let visitors: Vec<_> = (0..20).map(|count| Mix::Login.visitor(count, 17)).collect();
        assert_eq!(visitors, [[0; 10], [1; 10]].concat());
    }
}

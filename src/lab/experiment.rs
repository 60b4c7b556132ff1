//! What an experiment is, and what comes of it.

use std::fmt;

use rocket::futures::future::BoxFuture;

use super::bench::{Bench, Exchange, Measurements};

/// A question that is put to every store.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Its name in addresses and on the command line.
    pub slug: &'static str,
    /// What it is about.
    pub group: Group,
    /// The question, as a sentence. Yes is the safe outcome.
    pub question: &'static str,
    /// What is done, in words.
    pub steps: &'static [&'static str],
    /// Who needs the safe outcome: completes "you need …".
    pub need: &'static str,
    pub(super) run: for<'b> fn(&'b Bench) -> BoxFuture<'b, Result<Verdict, String>>,
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}

/// What an experiment is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Who holds a cookie, and until when it is a session.
    Theft,
    /// Requests of one browser that overlap.
    Concurrency,
    /// Servers that start, stop and fail.
    Operation,
    /// How much a session holds.
    Size,
}

impl Group {
    /// In the order of the page.
    pub const ALL: [Group; 4] = [Group::Theft, Group::Concurrency, Group::Operation, Group::Size];

    /// Its headline.
    pub fn title(self) -> &'static str {
        match self {
            Group::Theft => "Theft and sign-out",
            Group::Concurrency => "Requests that overlap",
            Group::Operation => "Running it",
            Group::Size => "Size",
        }
    }
}

/// What an experiment showed on one store.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The name of the column.
    pub store: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What happened.
    pub exchanges: Vec<Exchange>,
    /// What was measured.
    pub measurements: Measurements,
}

/// Whether the safe outcome came about, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The safe outcome.
    Holds(String),
    /// Another one.
    DoesNotHold(String),
    /// The store has nothing that the experiment could be tried on.
    NotApplicable(String),
    /// The experiment could not be run: the store does not answer, fails, takes too long, or lost what it was to be tried
    /// on.
    NotRun(String),
}

impl Verdict {
    /// [`Verdict::Holds`] or [`Verdict::DoesNotHold`].
    pub(super) fn of(holds: bool, why: impl Into<String>) -> Verdict {
        if holds { Verdict::Holds(why.into()) } else { Verdict::DoesNotHold(why.into()) }
    }

    /// Whether the safe outcome came about.
    pub fn holds(&self) -> bool {
        matches!(self, Verdict::Holds(_))
    }

    /// Why.
    pub fn why(&self) -> &str {
        match self {
            Verdict::Holds(why)
            | Verdict::DoesNotHold(why)
            | Verdict::NotApplicable(why)
            | Verdict::NotRun(why) => why,
        }
    }

    /// For programs: `holds`, `does-not-hold`, `not-applicable` or `not-run`.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Holds(_) => "holds",
            Verdict::DoesNotHold(_) => "does-not-hold",
            Verdict::NotApplicable(_) => "not-applicable",
            Verdict::NotRun(_) => "not-run",
        }
    }

    /// For people: a symbol and words.
    pub fn shown(&self) -> (&'static str, &'static str) {
        match self {
            Verdict::Holds(_) => ("✓", "holds"),
            Verdict::DoesNotHold(_) => ("✗", "does not hold"),
            Verdict::NotApplicable(_) => ("–", "not applicable"),
            Verdict::NotRun(_) => ("?", "not run"),
        }
    }
}

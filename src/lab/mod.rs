//! The comparison: the same experiments on every store, each on private instances of one small app with
//! a clock of its own. A verdict is computed from what happened.
//!
//! To add an experiment: one file beside this one, its `mod` line, and its entry in [`ALL`].

mod advice;
mod bench;
mod browser;
mod clocks;
mod column;
pub mod command;
mod run;
mod site;
mod spy;

mod clock_skew;
mod fixation;
mod growth;
mod idle_and_absolute_expiry;
mod key_rotation;
mod logout_race;
mod lost_update;
mod replay_after_logout;
mod restart;
mod rollback;
mod second_node;
mod store_outage;
mod tamper;
mod theft_and_log_out_everywhere;
mod who_is_signed_in;

use std::fmt;

use rocket::futures::future::BoxFuture;

pub use self::advice::{Advice, advise};
pub use self::bench::Bench;
pub use self::column::{Column, configured};
pub use self::run::{Row, answers, json, run, text};

/// A question that is put to every store.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Its name in addresses and on the command line.
    pub slug: &'static str,
    /// The question, as a sentence. Yes is the safe outcome.
    pub question: &'static str,
    /// What is done, in words.
    pub steps: &'static [&'static str],
    /// What whoever relies on the safe outcome needs: it completes "you need …".
    pub need: &'static str,
    run: for<'b> fn(&'b Bench) -> BoxFuture<'b, Result<Verdict, String>>,
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug)
    }
}

/// All experiments, in the order of the matrix.
pub const ALL: &[Experiment] = &[
    replay_after_logout::EXPERIMENT,
    rollback::EXPERIMENT,
    lost_update::EXPERIMENT,
    tamper::EXPERIMENT,
    theft_and_log_out_everywhere::EXPERIMENT,
    fixation::EXPERIMENT,
    logout_race::EXPERIMENT,
    idle_and_absolute_expiry::EXPERIMENT,
    restart::EXPERIMENT,
    second_node::EXPERIMENT,
    store_outage::EXPERIMENT,
    key_rotation::EXPERIMENT,
    growth::EXPERIMENT,
    who_is_signed_in::EXPERIMENT,
    clock_skew::EXPERIMENT,
];

/// The experiment of this name.
pub fn find(slug: &str) -> Option<&'static Experiment> {
    ALL.iter().find(|experiment| experiment.slug == slug)
}

/// Whether the safe outcome came about, and why it is said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The safe outcome.
    Holds(String),
    /// Another one.
    DoesNotHold(String),
    /// The experiment could not be made on this store.
    NotApplicable(String),
}

impl Verdict {
    /// [`Verdict::Holds`] or [`Verdict::DoesNotHold`].
    fn of(holds: bool, why: impl Into<String>) -> Verdict {
        if holds { Verdict::Holds(why.into()) } else { Verdict::DoesNotHold(why.into()) }
    }

    /// Whether the safe outcome came about.
    pub fn holds(&self) -> bool {
        matches!(self, Verdict::Holds(_))
    }

    /// Why.
    pub fn why(&self) -> &str {
        match self {
            Verdict::Holds(why) | Verdict::DoesNotHold(why) | Verdict::NotApplicable(why) => why,
        }
    }

    /// For programs: `holds`, `does-not-hold` or `not-applicable`.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Holds(_) => "holds",
            Verdict::DoesNotHold(_) => "does-not-hold",
            Verdict::NotApplicable(_) => "not-applicable",
        }
    }

    /// For people: a symbol and words.
    pub fn shown(&self) -> (&'static str, &'static str) {
        match self {
            Verdict::Holds(_) => ("✓", "holds"),
            Verdict::DoesNotHold(_) => ("✗", "does not hold"),
            Verdict::NotApplicable(_) => ("–", "not applicable"),
        }
    }
}

/// A request and its response, or a question to the store itself.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Who asked.
    pub who: &'static str,
    /// `GET`, `POST`, or `store`.
    pub method: &'static str,
    /// What was asked for.
    pub path: String,
    /// The status, or the store's answer.
    pub status: String,
    /// What the answer says of the session.
    pub says: String,
    /// The `Set-Cookie` lines, shortened.
    pub set_cookie: Vec<String>,
    /// The record as it was loaded.
    pub before: Option<String>,
    /// The record as it was written, if it was.
    pub after: Option<String>,
    /// Bytes of the `Cookie` header's names and values.
    pub up: usize,
    /// Bytes of the `Set-Cookie` lines.
    pub down: usize,
    /// Bytes that the server keeps of what was written.
    pub rest: usize,
}

/// Numbers that an experiment has measured.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// The heads of the columns.
    pub head: &'static [&'static str],
    /// The rows; the first cell of each is its head.
    pub rows: Vec<Vec<String>>,
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
    pub figures: Figures,
}

//! Contracts as runnable checks: what the suites for stores and for logs have in common.

use std::fmt;
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::tokio::time::timeout;

use crate::clock::{Clock, SystemClock, UnixSeconds};
use crate::error::StoreError;
use crate::record::id::Id;

/// How long one clause may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clause of the contract that each `T` keeps.
pub struct Clause<T: ?Sized> {
    /// What holds, as a sentence.
    pub name: &'static str,
    pub(crate) check: for<'t> fn(&'t T, UnixSeconds) -> BoxFuture<'t, Outcome>,
}

impl<T: ?Sized> Clause<T> {
    /// Whether `checked` keeps it.
    ///
    /// # Errors
    /// What was seen instead.
    pub async fn check(&self, checked: &T) -> Result<(), String> {
        match timeout(PATIENCE, (self.check)(checked, SystemClock.seconds())).await {
            Ok(outcome) => outcome.map_err(|Failed(why)| why),
            Err(_) => Err(format!("not done after {PATIENCE:?}")),
        }
    }
}

impl<T: ?Sized> fmt::Debug for Clause<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Lists the clauses of a contract: a sentence, and the function that checks it on a `Bench`, each.
macro_rules! clauses {
    ($checked:ty: $($name:literal $check:path;)*) => {
        /// All clauses.
        pub const CLAUSES: &[Clause<$checked>] = &[$(
            Clause { name: $name, check: |checked, now| Box::pin($check(Bench::new(checked, now))) }
        ),*];
    };
}

pub(crate) use clauses;

/// Checks every clause, one after the other.
pub(crate) async fn check_all<T: ?Sized>(clauses: &[Clause<T>], checked: &T) -> Report {
    let mut outcomes = Vec::with_capacity(clauses.len());
    for clause in clauses {
        outcomes.push((clause.name, clause.check(checked).await));
    }
    Report(outcomes)
}

/// The outcome of each clause.
#[derive(Debug)]
pub struct Report(Vec<(&'static str, Result<(), String>)>);

impl Report {
    /// Whether every clause holds.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The clauses that do not hold, with what was seen instead.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().filter_map(|(name, outcome)| Some((*name, outcome.as_ref().err()?.as_str())))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.0 {
            match outcome {
                Ok(()) => writeln!(f, "holds   {name}")?,
                Err(why) => writeln!(f, "FAILS   {name}: {why}")?,
            }
        }
        Ok(())
    }
}

pub(crate) type Outcome = Result<(), Failed>;

/// What was seen instead of what the clause says.
pub(crate) struct Failed(pub(crate) String);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed(format!("an error: {error}"))
    }
}

pub(crate) fn expect(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failed(what())) }
}

pub(crate) fn random_id() -> Result<Id, Failed> {
    Id::random().map_err(|error| Failed(format!("no random bits: {error}")))
}

//! Runs experiments.

use std::time::{Duration, Instant};

use rocket::config::LogLevel;
use rocket::tokio::time::timeout;
use sealed_sessions::{Clock, SystemClock};
use time::OffsetDateTime;

use super::bench::{Bench, Column, Measurements};
use super::experiment::{Experiment, Outcome, Verdict};

/// How long one experiment may take on one store: a store that does not answer must not hold up the rest.
const EXPERIMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// What an experiment showed on every store.
#[derive(Debug, Clone)]
pub struct Row {
    /// The experiment.
    pub experiment: &'static Experiment,
    /// Its outcomes, in the order of the columns.
    pub outcomes: Vec<Outcome>,
    /// When it was begun.
    pub made: OffsetDateTime,
    /// How long it took on all stores together.
    pub took: Duration,
}

/// Runs one experiment on every store. `log_level` is that of the process: starting a server sets it.
pub async fn run(experiment: &'static Experiment, columns: &[Column], log_level: LogLevel) -> Row {
    let (made, begun) = (SystemClock.now(), Instant::now());
    let mut outcomes = Vec::with_capacity(columns.len());
    for column in columns {
        outcomes.push(run_on(column, experiment, log_level).await);
    }
    Row { experiment, outcomes, made, took: begun.elapsed() }
}

/// Checks that a server can be started on this store. Silences the log of the process.
///
/// # Errors
/// Why it cannot.
pub async fn answers(column: &Column) -> Result<(), String> {
    Bench::new(column, LogLevel::Off)?.node().await.map(drop)
}

/// What an experiment showed on a store that it was not run on.
pub(super) fn not_run(column: &Column, why: String) -> Outcome {
    let (store, verdict) = (column.name.clone(), Verdict::NotRun(why));
    Outcome { store, verdict, exchanges: Vec::new(), measurements: Measurements::default() }
}

/// Runs one experiment on one store.
pub(super) async fn run_on(column: &Column, experiment: &Experiment, log_level: LogLevel) -> Outcome {
    let store = column.name.clone();
    let bench = match Bench::new(column, log_level) {
        Ok(bench) => bench,
        Err(why) => return not_run(column, why),
    };
    let verdict = match timeout(EXPERIMENT_TIMEOUT, (experiment.run)(&bench)).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(why)) => Verdict::NotRun(why),
        Err(_) => {
            let seconds = EXPERIMENT_TIMEOUT.as_secs();
            Verdict::NotRun(format!("it was not done after {seconds} seconds"))
        }
    };
    let (exchanges, measurements) = bench.finish();
    Outcome { store, verdict, exchanges, measurements }
}

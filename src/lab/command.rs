//! `sealed-sessions lab`: the experiments on the command line.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use rocket::config::LogLevel;
use rocket::figment::Figment;
use sealed_sessions::{Clock, SystemClock};

use super::bench::configured;
use super::experiment::Experiment;
use super::experiments::{ALL, find};
use super::matrix::{json, shown, text};
use super::progress::Progress;
use super::quiet::log_nothing;
use super::run::{Row, answers, not_run, run_on};
use crate::terminal::{has_colours, is_read_by_a_person, print, say};

/// What to run, and on which stores.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The experiments to run; all of them where none is named.
    #[arg(value_name = "SLUG")]
    slugs: Vec<String>,
    /// A store to run them on: cookie, memory, sqlite or a URL; or cookie+LEDGER, where LEDGER is memory,
    /// sqlite or a URL. May be repeated. Without any: cookie, cookie+sqlite, memory, sqlite, and those of the
    /// setting lab.stores.
    #[arg(long = "store", value_name = "NAME_OR_URL")]
    stores: Vec<String>,
    /// Print the verdicts as JSON, with the version and the date.
    #[arg(long)]
    json: bool,
}

/// Prints the matrix, and its progress on standard error. Succeeds whatever the verdicts are; exits with 1
/// if a store does not answer, with 2 if an experiment or a store is unknown.
pub async fn execute(arguments: Arguments, figment: &Figment) -> ExitCode {
    let chosen = chosen(&arguments.slugs)
        .and_then(|experiments| configured(figment, &arguments.stores).map(|columns| (experiments, columns)));
    let (experiments, columns) = match chosen {
        Ok(chosen) => chosen,
        Err(problem) => {
            say(format_args!("sealed-sessions: {problem}"));
            return ExitCode::from(2);
        }
    };
    log_nothing();
    let begun = Instant::now();
    // One that does not answer is asked once, not for each experiment again.
    let mut silent: BTreeMap<&str, String> = BTreeMap::new();
    for column in &columns {
        if let Err(problem) = answers(column).await {
            say(format_args!("sealed-sessions: {problem}"));
            silent.insert(&column.name, problem);
        }
    }
    let progress = Progress::new(experiments.len() as u64);
    let mut rows = Vec::with_capacity(experiments.len());
    for experiment in experiments {
        progress.step(experiment.slug);
        let (made, row_begun) = (SystemClock.now(), Instant::now());
        let mut outcomes = Vec::with_capacity(columns.len());
        for column in &columns {
            outcomes.push(match silent.get(column.name.as_str()) {
                Some(problem) => not_run(column, problem.clone()),
                None => run_on(column, experiment, LogLevel::Off).await,
            });
        }
        rows.push(Row { experiment, outcomes, made, took: row_begun.elapsed() });
    }
    progress.clear();
    let mut printed = if arguments.json {
        format!("{}\n", json(&rows, SystemClock.now()))
    } else if is_read_by_a_person() {
        shown(&rows, has_colours(), begun.elapsed())
    } else {
        text(&rows)
    };
    if !arguments.json && !arguments.slugs.is_empty() {
        printed += &reasons(&rows);
    }
    match print(&printed) {
        Ok(()) if silent.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(problem) => {
            say(format_args!("sealed-sessions: {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn chosen(slugs: &[String]) -> Result<Vec<&'static Experiment>, String> {
    if slugs.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let known = || ALL.iter().map(|experiment| experiment.slug).collect::<Vec<_>>().join(", ");
    let find =
        |slug: &String| find(slug).ok_or_else(|| format!("{slug:?} is no experiment; accepted: {}", known()));
    slugs.iter().map(find).collect()
}

fn reasons(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(&format!("\n{}: {}\n", row.experiment.slug, row.experiment.question));
        for outcome in &row.outcomes {
            let (symbol, _) = outcome.verdict.shown();
            text.push_str(&format!("  {symbol} {}: {}\n", outcome.store, outcome.verdict.why()));
        }
    }
    text
}

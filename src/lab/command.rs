//! `sealed-sessions lab`: the experiments on the command line.

use std::process::ExitCode;

use clap::Args;
use rocket::config::LogLevel;
use rocket::figment::Figment;

use super::bench::configured;
use super::experiment::Experiment;
use super::experiments::{ALL, find};
use super::matrix::{json, text};
use super::run::{Row, answers, run};

/// What to run, and on which stores.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The experiments to run; all of them where none is named.
    #[arg(value_name = "SLUG")]
    slugs: Vec<String>,
    /// A store to run them on: cookie, memory, sqlite or a URL. May be repeated. Without any: those three,
    /// and those of the setting lab.stores.
    #[arg(long = "store", value_name = "NAME_OR_URL")]
    stores: Vec<String>,
    /// Print the verdicts as JSON.
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
            eprintln!("sealed-sessions: {problem}");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for column in &columns {
        if let Err(problem) = answers(column).await {
            eprintln!("sealed-sessions: {problem}");
            code = ExitCode::FAILURE;
        }
    }
    let mut rows = Vec::with_capacity(experiments.len());
    for (at, experiment) in experiments.iter().enumerate() {
        eprintln!("[{}/{}] {}", at + 1, experiments.len(), experiment.slug);
        // The experiments provoke errors, which would fill the log.
        rows.push(run(experiment, &columns, LogLevel::Off).await);
    }
    if arguments.json {
        println!("{}", json(&rows));
        return code;
    }
    print!("{}", text(&rows));
    if !arguments.slugs.is_empty() {
        print!("{}", reasons(&rows));
    }
    code
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

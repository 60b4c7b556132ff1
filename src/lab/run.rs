//! Runs experiments, and writes down what they showed.

use std::time::Duration;

use rocket::config::LogLevel;
use rocket::tokio::time::timeout;
use serde_json::{Map, Value, json};

use super::{Bench, Column, Experiment, Outcome, Verdict};

/// How long one experiment may take on one store. A store that does not answer costs no more.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an experiment showed on every store.
#[derive(Debug, Clone)]
pub struct Row {
    /// The experiment.
    pub experiment: &'static Experiment,
    /// Its outcomes, in the order of the columns.
    pub outcomes: Vec<Outcome>,
}

/// Makes one experiment on every store. `log_level` is the process's own: starting a server sets it.
pub async fn run(experiment: &'static Experiment, columns: &[Column], log_level: LogLevel) -> Row {
    let mut outcomes = Vec::with_capacity(columns.len());
    for column in columns {
        outcomes.push(on(experiment, column, log_level).await);
    }
    Row { experiment, outcomes }
}

/// Whether a server can be started on this store. Sets the log of the process to silence.
///
/// # Errors
/// Why not.
pub async fn answers(column: &Column) -> Result<(), String> {
    Bench::new(column, LogLevel::Off)?.node().await.map(drop)
}

async fn on(experiment: &Experiment, column: &Column, log_level: LogLevel) -> Outcome {
    let store = column.name.clone();
    let failed = |why| Outcome {
        store: column.name.clone(),
        verdict: Verdict::NotApplicable(why),
        exchanges: Vec::new(),
        figures: Default::default(),
    };
    let bench = match Bench::new(column, log_level) {
        Ok(bench) => bench,
        Err(why) => return failed(why),
    };
    let verdict = match timeout(PATIENCE, (experiment.run)(&bench)).await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(why)) => Verdict::NotApplicable(why),
        Err(_) => Verdict::NotApplicable(format!("it was not done after {} seconds", PATIENCE.as_secs())),
    };
    let (exchanges, figures) = bench.taken();
    Outcome { store, verdict, exchanges, figures }
}

/// The verdicts for programs.
pub fn json(rows: &[Row]) -> Value {
    let verdicts = |row: &Row| -> Map<String, Value> {
        let verdict =
            |outcome: &Outcome| json!({ "verdict": outcome.verdict.name(), "why": outcome.verdict.why() });
        row.outcomes.iter().map(|outcome| (outcome.store.clone(), verdict(outcome))).collect()
    };
    let rows: Vec<Value> =
        rows.iter().map(|row| json!({ "slug": row.experiment.slug, "verdicts": verdicts(row) })).collect();
    json!({ "experiments": rows })
}

/// The matrix for a terminal.
pub fn text(rows: &[Row]) -> String {
    let shown = |outcome: &Outcome| {
        let (symbol, word) = outcome.verdict.shown();
        format!("{symbol} {word}")
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    if let Some(first) = rows.first() {
        let heads = first.outcomes.iter().map(|outcome| outcome.store.clone());
        lines.push([String::new()].into_iter().chain(heads).collect());
    }
    for row in rows {
        let cells = row.outcomes.iter().map(shown);
        lines.push([row.experiment.slug.to_owned()].into_iter().chain(cells).collect());
    }
    let width =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let mut text = String::new();
    for line in &lines {
        let mut padded = String::new();
        for (at, cell) in line.iter().enumerate() {
            padded.push_str(cell);
            let missing = width(at).unwrap_or_default().saturating_sub(cell.chars().count());
            padded.extend(std::iter::repeat_n(' ', missing + 2));
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text
}

//! The verdicts of all experiments on all stores, for programs and for a terminal.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::experiment::{Outcome, Verdict};
use super::run::Row;
use super::table::{Alignment, padded, padded_in};
use crate::terminal::{Colour, coloured};

/// The verdicts for programs.
pub fn json(rows: &[Row], date: OffsetDateTime) -> Value {
    let verdicts = |row: &Row| -> Map<String, Value> {
        let verdict =
            |outcome: &Outcome| json!({ "verdict": outcome.verdict.name(), "why": outcome.verdict.why() });
        row.outcomes.iter().map(|outcome| (outcome.store.clone(), verdict(outcome))).collect()
    };
    let experiment = |row: &Row| {
        json!({
            "slug": row.experiment.slug,
            "question": row.experiment.question,
            "verdicts": verdicts(row),
        })
    };
    let date = date.replace_nanosecond(0).unwrap_or(date);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "date": date.format(&Rfc3339).unwrap_or_default(),
        "experiments": rows.iter().map(experiment).collect::<Vec<_>>(),
    })
}

/// The matrix as plain lines.
pub fn text(rows: &[Row]) -> String {
    padded(&cells(rows), Alignment::Left)
}

/// The matrix for a person: in colours where there are some, with what each line asks and what the symbols mean.
pub fn shown(rows: &[Row], in_colours: bool, took: Duration) -> String {
    let paint = |text: &str, colour| if in_colours { coloured(text, colour) } else { text.to_owned() };
    let cell = |text: &str| match text.split(' ').next() {
        Some("✓") => paint(text, Colour::Green),
        Some("✗") => paint(text, Colour::Red),
        Some("–" | "?") => paint(text, Colour::Faint),
        _ => text.to_owned(),
    };
    let matrix = padded_in(&cells(rows), Alignment::Left, cell);
    let mut lines = matrix.lines();
    let mut text = lines.next().map(|heads| format!("{heads}\n")).unwrap_or_default();
    for (line, row) in lines.zip(rows) {
        text += &format!("{line}\n  {}\n", paint(row.experiment.question, Colour::Faint));
    }
    text.push('\n');
    for (verdict, meaning) in [
        (Verdict::Holds(String::new()), "the safe outcome: the answer is yes"),
        (Verdict::DoesNotHold(String::new()), "another one"),
        (Verdict::NotApplicable(String::new()), "this store has nothing to try it on"),
        (
            Verdict::NotRun(String::new()),
            "it could not be tried: the store does not answer, fails, or takes too long",
        ),
    ] {
        text += &format!("{}: {meaning}\n", cell(&words(&verdict)));
    }
    let stores = rows.first().map_or(0, |row| row.outcomes.len());
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    text += &format!(
        "{} on {} in {:.1} seconds\n",
        counted(rows.len(), "experiment"),
        counted(stores, "store"),
        took.as_secs_f64()
    );
    text
}

/// The line of the stores, then one for each experiment.
fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    let heads = rows.first().map(|first| {
        let stores = first.outcomes.iter().map(|outcome| outcome.store.clone());
        std::iter::once(String::new()).chain(stores).collect()
    });
    let line = |row: &Row| {
        let verdicts = row.outcomes.iter().map(|outcome| words(&outcome.verdict));
        std::iter::once(row.experiment.slug.to_owned()).chain(verdicts).collect()
    };
    heads.into_iter().chain(rows.iter().map(line)).collect()
}

fn words(verdict: &Verdict) -> String {
    let (symbol, word) = verdict.shown();
    format!("{symbol} {word}")
}

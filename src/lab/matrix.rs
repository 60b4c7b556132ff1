//! The verdicts of all experiments on all stores, for programs and for a terminal.

use serde_json::{Map, Value, json};

use super::experiment::Outcome;
use super::run::Row;
use super::table::{Alignment, padded};

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
        lines.push(std::iter::once(String::new()).chain(heads).collect());
    }
    for row in rows {
        let cells = row.outcomes.iter().map(shown);
        lines.push(std::iter::once(row.experiment.slug.to_owned()).chain(cells).collect());
    }
    padded(&lines, Alignment::Left)
}

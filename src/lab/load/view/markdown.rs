//! A report as Markdown: the tables of the README and of `docs/at-scale.md`.

use super::format::{grouped, median, millis, range};
use super::tables::{asked, mixes, name_of};
use crate::lab::load::measure::Spread;
use crate::lab::load::model::Measured;
use crate::lab::load::report::Report;

const HEAD: &str = "\
| mix and store | requests/s | CPU µs/request | cores | p50 ms | p99 ms | bytes up | bytes down | store operations |
|---|---:|---:|---:|---:|---:|---:|---:|---|
";

/// What the run measured, and the model filled in with it.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("Requests of each mix on each store:\n\n{HEAD}");
    // Reading alone differs little from the mix that is read-heavy.
    for (_, figures, store) in mixes(report).filter(|(_, figures, _)| figures.mix != "read only") {
        let spread = |of: &Spread| format!("{} ({})", median(of), range(of));
        let cells = [
            name_of(figures, store),
            spread(&figures.requests_per_second),
            figures.server_cpu_micros.as_ref().map_or("–".into(), spread),
            figures.server_cores.as_ref().map_or("–".into(), median),
            millis(figures.latency.p50),
            millis(figures.latency.p99),
            grouped(figures.bytes_up),
            grouped(figures.bytes_down),
            asked(figures, store),
        ];
        text += &format!("| {} |\n", cells.join(" | "));
    }
    if let Some(measured) = Measured::of(report) {
        let rows = |rows: Vec<String>| rows.join("\n");
        text += &format!(
            "\nThe terms of the model at scale that a run measures:\n\n{}\n",
            rows(measured.terms())
        );
        text += &format!("\nThe model, filled in:\n\n{}\n", rows(measured.filled_in()));
        if let Some([both, down]) = measured.bill() {
            text += &format!("\nBy the bill: {both}; from the server alone {down}.\n");
        }
        text += &format!("\nBy the work: {}.\n", measured.work());
    }
    text
}

//! A report as people read it: plots, each with its numbers as a table.

mod bars;
mod chart;
mod format;
mod markdown;
mod plots;
mod sample;
mod svg;
mod tables;

use rocket_dyn_templates::tera::{Context, Tera};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use self::plots::plots;
use self::tables::{at_rest, operations};
use super::report::Report;

pub(crate) use self::format::grouped;
pub(super) use self::format::{bytes_at_rest, digits, median as median_of, short, short_bytes};
pub use self::markdown::markdown;
pub use self::plots::Plot;
pub use self::sample::sample;
pub use self::tables::Table;

/// A report in words, numbers and pictures.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// When it was made, as RFC 3339 writes it.
    pub made: String,
    /// The same for people.
    pub made_text: String,
    /// Under which conditions.
    pub conditions: String,
    /// What makes the figures less reliable.
    pub warnings: Vec<String>,
    /// The pictures, each with its table.
    pub plots: Vec<Plot>,
    /// The figures that are in no picture.
    pub tables: Vec<Table>,
}

impl View {
    /// Draws a report.
    ///
    /// # Errors
    /// When a picture cannot be drawn.
    pub fn of(report: &Report) -> Result<View, String> {
        let Report { cores, clients, seconds, rounds, nodes, version, .. } = report;
        let servers = if *nodes == 1 { "one server".to_owned() } else { format!("{nodes} servers") };
        let times = match rounds {
            1 => "one round".to_owned(),
            _ => format!("the median of {rounds} rounds, the stores by turns in each,"),
        };
        let mut conditions = format!(
            "{times} of {seconds} s for each mix and store, {clients} clients over keep-alive connections, {servers} \
             with one thread for requests, {cores} cores, version {version}. Each client sends its next request when \
             the last one is answered."
        );
        if report.store_delay_millis > 0.0 {
            let delay = report.store_delay_millis;
            conditions += &format!(" Each operation of a server store waited {delay} ms before it began.");
        }
        Ok(View {
            made: report.made.clone(),
            made_text: for_people(&report.made),
            conditions,
            warnings: warnings(report),
            plots: plots(report)?,
            tables: vec![operations(report), at_rest(report)],
        })
    }

    /// The report as one file, which needs no other.
    ///
    /// # Errors
    /// When the template cannot be filled.
    pub fn html(&self) -> Result<String, String> {
        let fails = |error| format!("the report cannot be written: {error:?}");
        let mut tera = Tera::default();
        tera.autoescape_on(vec![""]);
        tera.add_raw_templates([
            ("lab/load_file", include_str!("../../../../templates/lab/load_file.html.tera")),
            ("lab/figures", include_str!("../../../../templates/lab/figures.html.tera")),
            ("lab/load_report", include_str!("../../../../templates/lab/load_report.html.tera")),
        ])
        .map_err(fails)?;
        let mut context = Context::new();
        context.insert("load", self);
        tera.render("lab/load_file", &context).map_err(fails)
    }

    /// The tables as text.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.conditions);
        for warning in &self.warnings {
            text += &format!("Note: {warning}\n");
        }
        for table in self.plots.iter().map(|plot| &plot.table).chain(&self.tables) {
            text += &table.text();
        }
        text
    }
}

/// A moment as the pages show it.
fn for_people(made: &str) -> String {
    let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    let moment = OffsetDateTime::parse(made, &Rfc3339).ok();
    moment.and_then(|moment| moment.format(&format).ok()).unwrap_or_else(|| made.to_owned())
}

fn warnings(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    if !report.optimised {
        all.push("this was a debug build; a release build is many times faster.".into());
    }
    let figures = || std::iter::once(&report.bare).chain(report.stores.iter().flat_map(|store| &store.mixes));
    if figures().any(|figures| figures.driver_busy.is_some_and(|busy| busy > 0.9)) {
        all.push("the driver used a whole core at times, and not the server, was the bound there.".into());
    }
    let failures: u64 = figures().map(|figures| figures.failures).sum();
    if failures > 0 {
        all.push(format!(
            "{failures} requests were not answered as they should be: with another status than 200, or \
             with the count of another session."
        ));
    }
    all
}

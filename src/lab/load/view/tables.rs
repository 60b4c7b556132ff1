//! The tables of a report.

use serde::Serialize;

use super::format::{bytes_at_rest, grouped, names, rounded};
use super::svg::Whose;
use crate::lab::load::measure::Figures;
use crate::lab::load::report::{Report, StoreReport};
use crate::lab::table::{Alignment, columns_of_figures, padded};

/// A table of text; the first of each row names it.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What it is of.
    pub caption: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// The rest.
    pub rows: Vec<Vec<String>>,
    /// Which of the columns hold figures, which are aligned on the right; words are on the left.
    pub is_figures: Vec<bool>,
}

impl Table {
    pub(super) fn new(caption: &str, head: Vec<String>, rows: Vec<Vec<String>>) -> Table {
        let is_figures = columns_of_figures(&rows);
        Table { caption: caption.into(), head, rows, is_figures }
    }

    /// The table for a terminal.
    pub(super) fn text(&self) -> String {
        let rows = std::iter::once(&self.head).chain(&self.rows);
        format!("\n{}\n{}", self.caption, padded(rows, Alignment::Right))
    }
}

pub(super) fn operations(report: &Report) -> Table {
    let rows = mixes(report).map(|(_, figures, store)| {
        let bytes = [figures.bytes_up, figures.bytes_down].map(grouped);
        std::iter::once(name_of(figures, store)).chain(bytes).chain([asked(figures, store)]).collect()
    });
    Table::new(
        "Bytes and store operations of one request, on average",
        names(&["Mix and store", "Bytes up", "Bytes down", "Store operations"]),
        rows.collect(),
    )
}

/// What is asked of a database. The calls of the cookie store stay within the library: all that goes out is
/// what its ledger is asked.
pub(super) fn asked(figures: &Figures, store: Option<&StoreReport>) -> String {
    let goes_out = |name: &str| store.is_none_or(|store| store.server_side) || name.starts_with("ledger ");
    let all = figures.store_operations.iter().filter(|(name, _)| goes_out(name));
    let all = all.map(|(name, count)| (rounded(*count), name)).filter(|(count, _)| count != "0");
    let named: Vec<String> = all.map(|(count, name)| format!("{count} {name}")).collect();
    if named.is_empty() { "none".into() } else { named.join(", ") }
}

pub(super) fn at_rest(report: &Report) -> Table {
    let rows = report.stores.iter().map(|store| {
        let cells = match &store.at_rest {
            Some(at_rest) if at_rest.is_nothing() => [bytes_at_rest(at_rest), "–".into(), "–".into()],
            Some(at_rest) => {
                [bytes_at_rest(at_rest), grouped(at_rest.sessions as f64), at_rest.place.clone()]
            }
            None => ["not measured".into(), "–".into(), "another server".into()],
        };
        std::iter::once(store.store.clone()).chain(cells).collect()
    });
    Table::new(
        "What a session takes on the server",
        names(&["Store", "Bytes per session", "Sessions made", "Where"]),
        rows.collect(),
    )
}

/// All mixes of all stores, the bare route first.
pub(super) fn mixes(report: &Report) -> impl Iterator<Item = (Whose, &Figures, Option<&StoreReport>)> {
    let count = report.stores.first().map_or(0, |store| store.mixes.len());
    let of_stores = (0..count).flat_map(move |mix| {
        let stores = report.stores.iter().enumerate();
        stores.filter_map(move |(number, store)| {
            Some((Whose::Store(number), store.mixes.get(mix)?, Some(store)))
        })
    });
    std::iter::once((Whose::Bare, &report.bare, None)).chain(of_stores)
}

pub(super) fn name_of(figures: &Figures, store: Option<&StoreReport>) -> String {
    match store {
        Some(store) => format!("{}, {}", figures.mix, store.store),
        None => figures.mix.clone(),
    }
}

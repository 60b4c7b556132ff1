//! The tables of a report.

use serde::Serialize;

use super::format::{grouped, names, trimmed};
use super::svg::Whose;
use crate::lab::load::measure::Figures;
use crate::lab::load::report::{Report, StoreReport};
use crate::lab::table::{Alignment, padded};

/// A table of text; the first of each row names it.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// What it is of.
    pub caption: String,
    /// The names of its columns.
    pub head: Vec<String>,
    /// The rest.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table for a terminal.
    pub(super) fn text(&self) -> String {
        let rows = std::iter::once(&self.head).chain(&self.rows);
        format!("\n{}\n{}", self.caption, padded(rows, Alignment::Right))
    }
}

pub(super) fn operations(report: &Report) -> Table {
    let rows = mixes(report).map(|(_, figures, store)| {
        let named =
            figures.store_operations.iter().map(|(name, count)| format!("{} {name}", trimmed(*count)));
        let named: Vec<String> = named.collect();
        let operations = if named.is_empty() { "none".into() } else { named.join(", ") };
        let bytes = [figures.bytes_up, figures.bytes_down].map(grouped);
        std::iter::once(name_of(figures, store)).chain(bytes).chain([operations]).collect()
    });
    Table {
        caption: "Bytes and store operations of one request, on average".into(),
        head: names(&["Mix and store", "Bytes up", "Bytes down", "Store operations"]),
        rows: rows.collect(),
    }
}

pub(super) fn at_rest(report: &Report) -> Table {
    let rows = report.stores.iter().map(|store| match &store.at_rest {
        Some(at_rest) => vec![
            store.store.clone(),
            grouped(at_rest.bytes_per_session),
            grouped(at_rest.sessions as f64),
            match at_rest.sessions {
                ..10_000 => format!("{}; too few to tell", at_rest.place),
                _ => at_rest.place.clone(),
            },
        ],
        None => vec![store.store.clone(), "not measured".into(), "–".into(), "another server".into()],
    });
    Table {
        caption: "What a session takes on the server".into(),
        head: names(&["Store", "Bytes per session", "Sessions made", "Where"]),
        rows: rows.collect(),
    }
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

//! What helps to choose a store, beside the verdicts: what somebody needs, and what each store costs.

use rocket::tokio::task::spawn_blocking;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::page::Page;
use super::settings::Settings;
use crate::lab::load::{Costs, Report};
use crate::lab::{Fit, NEEDS, Need, Row, fits};

/// The needs to tick, and how far each store gives those that are ticked. Unknown names are ignored.
pub(super) fn needs(names: &[&str], rows: &[Row], anchor: impl Fn(&str) -> String) -> Value {
    let is_chosen = |need: &Need| names.contains(&need.name);
    let chosen: Vec<Need> = NEEDS.into_iter().filter(is_chosen).collect();
    let boxes = NEEDS.map(|need| json!({ "name": need.name, "text": need.text, "chosen": is_chosen(&need) }));
    let shown = |need: &Need| json!({ "text": need.text, "slug": need.slug });
    let fit = |fit: &Fit| {
        json!({
            "store": fit.store,
            "anchor": anchor(&fit.store),
            "lacks": fit.lacks.iter().map(shown).collect::<Vec<_>>(),
        })
    };
    let fits = if chosen.is_empty() { Vec::new() } else { fits(rows, &chosen) };
    json!({
        "boxes": boxes,
        "chosen": chosen.iter().map(shown).collect::<Vec<_>>(),
        "fits": fits.iter().map(fit).collect::<Vec<_>>(),
        "answer": answer(fits.iter().filter(|fit| fit.lacks.is_empty()).count()),
    })
}

/// How many stores give all that was ticked.
fn answer(stores: usize) -> String {
    match stores {
        0 => "No store here gives all of it".into(),
        1 => "One store gives all of it".into(),
        2..=9 => {
            let words = ["Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
            format!("{} stores give all of it", words[stores - 2])
        }
        _ => format!("{stores} stores give all of it"),
    }
}

/// What the last load test measured on each of the stores.
pub(super) async fn costs(page: &Page<'_>, settings: &Settings, stores: &[&str]) -> Value {
    let data_dir = settings.data_dir.clone();
    let last = spawn_blocking(move || Report::last(&data_dir)).await;
    let report = last.ok().and_then(Result::ok).flatten();
    let made = report.as_ref().and_then(|report| OffsetDateTime::parse(&report.made, &Rfc3339).ok());
    let all = stores.iter().map(|store| report.as_ref().and_then(|report| Costs::of(report, store)));
    let all: Vec<Option<Costs>> = all.collect();
    let line = |name: &str, unit: &str, of: &dyn Fn(&Costs) -> Option<(String, String)>| {
        let cells = all.iter().map(|costs| {
            costs.as_ref().map(|costs| {
                let (value, note) = of(costs).unwrap_or(("not measured".into(), String::new()));
                json!({ "value": value, "note": note })
            })
        });
        json!({ "name": name, "unit": unit, "cells": cells.collect::<Vec<_>>() })
    };
    json!({
        "made": made.map(|made| page.when(made)),
        "lacks_stores": all.iter().any(Option::is_none),
        "optimised": report.is_none_or(|report| report.optimised),
        "lines": [
            line("How many requests does a core answer in a second?", "by the server’s processor time, its threads for SQLite included; 95 reads to 5 writes", &|costs| {
                Some((costs.requests.clone()?, String::new()))
            }),
            line("How many bytes does a request take on the wire?", "up and down, headers and all", &|costs| {
                Some((costs.bytes.clone(), String::new()))
            }),
            line("How many bytes does a session take on the server?", "what each one of somebody who is signed in adds to its memory or to the store’s file", &|costs| {
                costs.at_rest.clone()
            }),
        ],
    })
}

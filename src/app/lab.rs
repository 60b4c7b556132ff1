//! `GET|POST /lab`, `GET|POST /lab/{slug}`: the experiments as pages. Results are kept until they are run
//! again; there is one run at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rocket::config::LogLevel;
use rocket::fairing::{AdHoc, Fairing};
use rocket::response::Redirect;
use rocket::tokio::time::timeout;
use rocket::{Route, State, get, post, routes, tokio};
use rocket_dyn_templates::context;
use serde_json::{Value, json};

use super::chart;
use super::csrf::{Nothing, Protected};
use super::lab_asked::Asked;
use super::lab_choice;
use super::lab_work::Work;
use super::lanes;
use super::page::{Html, Page};
use super::settings::Settings;
use crate::lab::load::grouped;
use crate::lab::{self, ALL, Advice, Column, Experiment, Group, Outcome, Row, Verdict};

/// The most exchanges that a page lists for each store, the last ones: more would keep a phone waiting.
const MAX_EXCHANGES: usize = 40;

/// How long a page waits for a run, which goes on afterwards: the page shows what there is by then.
const RUN_TIMEOUT: Duration = Duration::from_secs(5);

/// The stores under test, and the results so far.
struct Laboratory {
    columns: Vec<Column>,
    log_level: LogLevel,
    found: Mutex<BTreeMap<&'static str, Row>>,
    work: Work,
}

impl Laboratory {
    /// Runs these experiments and waits a little for them; if a run is under way, waits for that one.
    async fn run(self: &Arc<Self>, experiments: Vec<&'static Experiment>) {
        let Some(mut run) = self.work.begin(experiments.len()) else {
            let _ = timeout(RUN_TIMEOUT, self.work.ended()).await;
            return;
        };
        let lab = Arc::clone(self);
        let work = tokio::spawn(async move {
            log::info!("the lab begins {} experiments", experiments.len());
            let at_work = Arc::clone(&lab);
            let work = move || async move {
                for experiment in experiments {
                    run.go_on(experiment.slug);
                    let row = lab::run(experiment, &at_work.columns, at_work.log_level).await;
                    at_work.found().insert(experiment.slug, row);
                }
            };
            match lab::apart(work).await {
                Ok(()) => log::info!("the lab is done"),
                Err(problem) => log::error!("the lab could not be run: {problem}"),
            }
        });
        let _ = timeout(RUN_TIMEOUT, work).await;
    }

    /// Runs those of the experiments that were never run, unless another site asks for the page.
    async fn complete(self: &Arc<Self>, experiments: &'static [Experiment], asked: Asked) {
        if asked == Asked::ByAnotherSite {
            return;
        }
        let missing: Vec<_> =
            experiments.iter().filter(|experiment| !self.found().contains_key(experiment.slug)).collect();
        if !missing.is_empty() {
            self.run(missing).await;
        }
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<&'static str, Row>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stores(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

/// Reads which stores are configured. A wrong one refuses the launch.
pub(super) fn fairing() -> impl Fairing {
    AdHoc::try_on_ignite("Lab", |rocket| async move {
        let log_level = rocket.figment().extract_inner("log_level").unwrap_or(LogLevel::Normal);
        match lab::configured(rocket.figment(), &[]) {
            Ok(columns) => {
                let (found, work) = (Mutex::default(), Work::default());
                Ok(rocket.manage(Arc::new(Laboratory { columns, log_level, found, work })))
            }
            Err(problem) => {
                log::error!("the app refuses to launch: lab.stores: {problem}");
                Err(rocket)
            }
        }
    })
}

/// `need` names what somebody ticked.
#[get("/lab?<need>")]
async fn matrix(
    need: Vec<&str>,
    asked: Asked,
    page: Page<'_>,
    lab: &State<Arc<Laboratory>>,
    settings: &State<Settings>,
) -> Html {
    lab.complete(ALL, asked).await;
    let found = lab.found().clone();
    let line = |experiment: &Experiment| {
        let outcomes = found.get(experiment.slug).map(|row| row.outcomes.iter().map(verdict).collect());
        let outcomes: Vec<Value> = outcomes.unwrap_or_default();
        json!({ "slug": experiment.slug, "question": experiment.question, "cells": outcomes })
    };
    let group = |group: Group| {
        let lines = ALL.iter().filter(|experiment| experiment.group == group).map(line);
        json!({ "title": group.title(), "lines": lines.collect::<Vec<_>>() })
    };
    let rows: Vec<Row> = ALL.iter().filter_map(|experiment| found.get(experiment.slug).cloned()).collect();
    let is_complete = rows.len() == ALL.len();
    // A store that was not tried is no worse for that.
    let advice_on: &[Row] = if is_complete { &rows } else { &[] };
    let own = context! {
        stores: lab.stores(),
        width: lab.columns.len() + 1,
        groups: Group::ALL.map(group),
        made: rows.iter().map(|row| row.made).min().map(|made| page.when(made)),
        took: seconds(rows.iter().map(|row| row.took).sum()),
        complete: is_complete,
        held_back: asked == Asked::ByAnotherSite,
        doing: lab.work.doing(),
        count: ALL.len(),
        costs: lab_choice::costs(&page, settings, &lab.stores()).await,
        needs: lab_choice::needs(&need, &rows, anchor),
        advice: lab::advise(advice_on).iter().map(advice).collect::<Vec<_>>(),
    };
    page.show_form_anywhere("lab", "The lab", own).await
}

#[post("/lab", data = "<_form>")]
async fn run_all(_form: Protected<Nothing>, lab: &State<Arc<Laboratory>>) -> Redirect {
    lab.run(ALL.iter().collect()).await;
    Redirect::to("/lab")
}

#[get("/lab/<slug>")]
async fn experiment(slug: &str, asked: Asked, page: Page<'_>, lab: &State<Arc<Laboratory>>) -> Option<Html> {
    let at = ALL.iter().position(|experiment| experiment.slug == slug)?;
    let experiment = ALL.get(at)?;
    lab.complete(std::slice::from_ref(experiment), asked).await;
    let row = lab.found().get(experiment.slug).cloned();
    let outcomes = row.iter().flat_map(|row| &row.outcomes).map(outcome).collect::<Vec<_>>();
    let link = |other: Option<&Experiment>| {
        other.map(|other| json!({ "slug": other.slug, "question": other.question }))
    };
    let own = context! {
        slug: experiment.slug,
        group: experiment.group.title(),
        question: experiment.question,
        steps: experiment.steps,
        made: row.as_ref().map(|row| page.when(row.made)),
        took: row.as_ref().map(|row| seconds(row.took)),
        chart: row.as_ref().and_then(|row| chart::of(&row.outcomes)),
        outcomes,
        held_back: asked == Asked::ByAnotherSite,
        doing: lab.work.doing(),
        previous: link(at.checked_sub(1).and_then(|before| ALL.get(before))),
        next: link(ALL.get(at + 1)),
    };
    Some(page.show_form_anywhere("experiment", experiment.question, own).await)
}

#[post("/lab/<slug>", data = "<_form>")]
async fn run_one(slug: &str, _form: Protected<Nothing>, lab: &State<Arc<Laboratory>>) -> Option<Redirect> {
    let experiment = lab::find(slug)?;
    lab.run(vec![experiment]).await;
    Some(Redirect::to(format!("/lab/{}", experiment.slug)))
}

fn seconds(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds < 0.05 => "less than 0.1 seconds".into(),
        seconds => format!("{seconds:.1} seconds"),
    }
}

fn verdict(outcome: &Outcome) -> Value {
    let (symbol, word) = outcome.verdict.shown();
    json!({
        "store": outcome.store,
        "anchor": anchor(&outcome.store),
        "name": outcome.verdict.name(),
        "symbol": symbol,
        "word": word,
        "why": sentence(outcome.verdict.why()),
    })
}

/// The name of a column as an address holds it.
fn anchor(store: &str) -> String {
    let words = store.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn is_verdict(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Holds(_) | Verdict::DoesNotHold(_))
}

/// As a sentence; the command line prints it after a colon.
fn sentence(why: &str) -> String {
    let mut letters = why.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

fn outcome(outcome: &Outcome) -> Value {
    let exchange = |exchange: &lab::Exchange| {
        json!({
            "who": exchange.who,
            "method": exchange.method,
            "with": exchange.with,
            "path": exchange.path,
            "status": exchange.status,
            "says": exchange.says,
            "set_cookie": exchange.set_cookie,
            "before": exchange.before,
            "after": exchange.after,
        })
    };
    let unlisted = outcome.exchanges.len().saturating_sub(MAX_EXCHANGES);
    json!({
        "verdict": verdict(outcome),
        "lanes": lanes::of(&outcome.exchanges, is_verdict(&outcome.verdict)),
        "exchanges": outcome.exchanges.iter().skip(unlisted).map(exchange).collect::<Vec<_>>(),
        "unlisted": unlisted,
        "figures": {
            "caption": outcome.measurements.caption,
            "head": outcome.measurements.head,
            "rows": outcome.measurements.rows.iter().map(|row| figures(row)).collect::<Vec<_>>(),
            "is_figures": lab::columns_of_figures(&outcome.measurements.rows),
        },
    })
}

/// A row as a page shows it: thousands are separated.
fn figures(row: &[String]) -> Vec<String> {
    let shown = |cell: &String| match cell.parse::<u32>() {
        Ok(number) => grouped(number.into()),
        Err(_) => cell.clone(),
    };
    row.iter().map(shown).collect()
}

fn advice(advice: &Advice) -> Value {
    let points = |points: &[(&str, &str)]| {
        points.iter().map(|(need, slug)| json!({ "need": need, "slug": slug })).collect::<Vec<_>>()
    };
    json!({
        "store": advice.store,
        "anchor": anchor(&advice.store),
        "whom": advice.whom,
        "gives": points(&advice.gives),
        "lacks": points(&advice.lacks),
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![matrix, run_all, experiment, run_one]
}

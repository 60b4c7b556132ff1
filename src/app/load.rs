//! `GET /lab/load`: the last load test on this machine.

use rocket::tokio::task::spawn_blocking;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::context;

use super::page::{Html, Page};
use super::settings::Settings;
use crate::lab::load::{Report, View, sample};

#[get("/lab/load")]
async fn load(page: Page<'_>, settings: &State<Settings>) -> Html {
    let data_dir = settings.data_dir.clone();
    // Reads a file and draws.
    let drawn = spawn_blocking(move || Report::last(&data_dir)?.map(|report| View::of(&report)).transpose());
    let (load, problem) = match drawn.await {
        Ok(Ok(view)) => (view, None),
        Ok(Err(problem)) => {
            log::warn!("the last load test cannot be shown: {problem}");
            (None, Some("What was kept of the last run cannot be read by this version."))
        }
        Err(_) => (None, Some("The last run cannot be shown.")),
    };
    let sample = if load.is_none() { sample().ok() } else { None };
    page.show("load", "Load", context! { load, problem, sample })
}

pub(super) fn routes() -> Vec<Route> {
    routes![load]
}

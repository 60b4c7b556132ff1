//! `GET|POST /compare`: the same step in every realm, and what it took in each.

use std::time::{Duration, Instant};

use rocket::fairing::{AdHoc, Fairing};
use rocket::http::{Header, RawStr};
use rocket::response::Redirect;
use rocket::{Route, get, post, routes};
use rocket_dyn_templates::context;
use sealed_sessions::commit_times;
use serde_json::{Value, json};

use super::csrf::{self, Loaded, Nothing, Protected};
use super::page::{Html, Page, realm_name};
use super::settings::Settings;
use super::visitor::{Session, Visitor};

/// What a press took, by realm, comes with the address that it leads to, in microseconds: `load` from the
/// browser's cookie to the session, `save` back.
#[get("/compare?<load>&<save>")]
async fn compare(load: Vec<&str>, save: Vec<&str>, page: Page<'_>) -> Html {
    let mut realms = Vec::new();
    for path in page.realm_paths() {
        let session = page.realms().session(path).await.ok();
        let store = page.realms().store_name(path).unwrap_or_default();
        realms.push(json!({
            "name": realm_name(path),
            "path": path,
            "store": store,
            "answers": session.is_some(),
            "kept": session.and_then(kept),
            "load": milliseconds(&load, path),
            "save": milliseconds(&save, path),
        }));
    }
    page.show_form_anywhere("compare", "Compare", context! { compared: realms }).await
}

/// What is known of a session that came with this request: none of one that did not.
fn kept(session: Session<'_>) -> Option<Value> {
    let (wire, record) = (session.wire()?, session.record()?);
    let server_side = session.capabilities().server_side;
    Some(json!({
        "visits": session.get().visits,
        "up": wire.request,
        "down": wire.lines,
        "cookie": session.cookie_name(),
        "cookies": wire.cookies,
        "sealed": wire.ticket,
        "server_side": server_side,
        "server": if server_side { record.encode().len() } else { 0 },
        "version": record.version,
    }))
}

/// The time of this realm among `PATH:MICROSECONDS`.
fn milliseconds(times: &[&str], realm: &str) -> Option<String> {
    let micros =
        times.iter().find_map(|time| time.strip_prefix(realm)?.strip_prefix(':')?.parse::<u32>().ok());
    micros.map(|micros| format!("{:.3}", f64::from(micros) / 1000.0))
}

fn parameter(name: &str, realm: &str, took: Duration) -> String {
    format!("{name}={}:{}", RawStr::new(realm).percent_encode(), took.as_micros())
}

/// Counts a visit in every realm. Each session gets what the forms need, so that all hold the same.
#[post("/compare", data = "<_form>")]
async fn step(_form: Protected<Nothing>, page: Page<'_>) -> Redirect {
    page.realms().time_commits();
    let mut times = Vec::new();
    let paths = page.realm_paths();
    for &path in &paths {
        let start = Instant::now();
        // One whose store does not answer is shown so by the page that follows.
        let Ok(session) = page.realms().session(path).await else { continue };
        // The first one's token was checked, so that it is loaded already: the stopwatch knows.
        if Some(&path) != paths.first() {
            times.push(parameter("load", path, start.elapsed()));
        }
        let _ = csrf::token(&session);
        session.update(|visitor| visitor.visits = visitor.visits.saturating_add(1));
    }
    Redirect::to(format!("/compare?{}", times.join("&")))
}

/// Adds what the commits took to where a press leads. Attached behind the sessions, which commit when the
/// response is ready.
pub(super) fn stopwatch() -> impl Fairing {
    AdHoc::on_response("Stopwatch", |request, response| {
        Box::pin(async move {
            let times = commit_times::<Visitor>(request);
            if let (false, Some(location)) = (times.is_empty(), response.headers().get_one("Location")) {
                let mut times: Vec<_> =
                    times.iter().map(|(realm, took)| parameter("save", realm, *took)).collect();
                let default = request.rocket().state::<Settings>().map(|settings| &settings.default_realm);
                let loaded: Option<Loaded> = *request.local_cache(|| None);
                times.extend(loaded.zip(default).map(|(Loaded(took), realm)| parameter("load", realm, took)));
                let location = format!("{location}&{}", times.join("&"));
                response.set_header(Header::new("Location", location));
            }
        })
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![compare, step]
}

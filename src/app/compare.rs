//! `GET|POST /compare`: the same step in every realm, and what it took in each.

use std::time::{Duration, Instant};

use rocket::fairing::{AdHoc, Fairing};
use rocket::http::{Header, Method, RawStr};
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::{Route, get, post, routes};
use rocket_dyn_templates::context;
use sealed_sessions::SessionError;
use serde_json::{Value, json};

use super::csrf::{Nothing, Protected};
use super::page::{Html, Page, realm_name};
use super::visitor::{ReadOnly, Session};

/// What a press took comes in the address that it leads to, in microseconds: `load` by realm, from the
/// browser's cookie to the session, and `save` for all realms together.
#[get("/compare?<load>&<save>")]
async fn compare(load: Vec<&str>, save: Option<u32>, page: Page<'_>) -> Html {
    let mut realms = Vec::new();
    for path in page.realm_paths() {
        let session = page.realms().read_only(path).await.ok();
        let (store, has_ledger) =
            (page.realms().store_name(path).unwrap_or_default(), page.realms().has_ledger(path));
        realms.push(json!({
            "name": realm_name(path),
            "path": path,
            "store": if has_ledger { format!("{store} + ledger") } else { format!("{store} store") },
            "has_ledger": has_ledger,
            "answers": session.is_some(),
            "kept": session.and_then(kept),
            "load": load_time(&load, path).map(milliseconds),
        }));
    }
    let own = context! { compared: realms, save: save.map(milliseconds) };
    page.show_form_anywhere("compare", "Compare", own).await
}

/// What this request shows of a session; `None` if it brought none.
fn kept(session: ReadOnly<'_>) -> Option<Value> {
    let (wire, record) = (session.inspect().wire()?, session.inspect().record()?);
    let server_side = session.inspect().is_on_server();
    Some(json!({
        "visits": session.get().visits,
        "up": wire.request,
        "down": wire.lines,
        "cookie": session.inspect().cookie_name(),
        "cookies": wire.cookies,
        "sealed": wire.ticket,
        "server_side": server_side,
        "server": if server_side { record.encode().len() } else { 0 },
        "version": record.version,
    }))
}

/// The time of this realm among `PATH:MICROSECONDS`.
fn load_time(times: &[&str], realm: &str) -> Option<u32> {
    times.iter().find_map(|time| time.strip_prefix(realm)?.strip_prefix(':')?.parse().ok())
}

fn milliseconds(micros: u32) -> String {
    format!("{:.3}", f64::from(micros) / 1000.0)
}

/// Counts a visit in every realm.
#[post("/compare", data = "<_form>")]
fn step(loads: TimedLoads<'_>, _form: Protected<Nothing>) -> Redirect {
    let mut times = Vec::new();
    for Load { path, session, took } in loads.0 {
        times.push(format!("load={}:{}", RawStr::new(path).percent_encode(), took.as_micros()));
        session.update(|visitor| visitor.visits = visitor.visits.saturating_add(1));
    }
    Redirect::to(format!("/compare?{}", times.join("&")))
}

/// The sessions of all realms whose store answers. A request guard, since those run before the form is
/// read: checking its token loads one of these sessions too, which could no longer be timed.
struct TimedLoads<'r>(Vec<Load<'r>>);

struct Load<'r> {
    path: &'r str,
    session: Session<'r>,
    took: Duration,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for TimedLoads<'r> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<TimedLoads<'r>, SessionError> {
        let page = try_outcome!(request.guard::<Page<'r>>().await);
        let mut loads = Vec::new();
        for path in page.realm_paths() {
            let start = Instant::now();
            let Ok(session) = page.realms().session(path).await else { continue };
            loads.push(Load { path, session, took: start.elapsed() });
        }
        Outcome::Success(TimedLoads(loads))
    }
}

/// When the sessions of a press began to be saved.
struct SaveStart(Instant);

/// Starts the stopwatch of a press. Attached before the sessions, which save in their response fairing.
pub(super) fn before_saving() -> impl Fairing {
    AdHoc::on_response("Before Saving", |request, _| {
        Box::pin(async move {
            if is_press(request) {
                request.local_cache(|| SaveStart(Instant::now()));
            }
        })
    })
}

/// Adds what saving took to where a press leads. Attached after the sessions.
pub(super) fn after_saving() -> impl Fairing {
    AdHoc::on_response("After Saving", |request, response| {
        Box::pin(async move {
            if !is_press(request) {
                return;
            }
            let SaveStart(start) = request.local_cache(|| SaveStart(Instant::now()));
            let took = start.elapsed().as_micros();
            if let Some(location) = response.headers().get_one("Location") {
                let location = format!("{location}&save={took}");
                response.set_header(Header::new("Location", location));
            }
        })
    })
}

fn is_press(request: &Request<'_>) -> bool {
    request.method() == Method::Post && request.uri().path() == "/compare"
}

pub(super) fn routes() -> Vec<Route> {
    routes![compare, step]
}

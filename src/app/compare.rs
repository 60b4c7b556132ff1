//! `GET|POST /compare`: the same step in every realm, and what it took in each.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::fairing::{AdHoc, Fairing};
use rocket::http::{Method, Status};
use rocket::request::Request;
use rocket::response::Redirect;
use rocket::{Route, State, get, post, routes, uri};
use rocket_dyn_templates::context;
use sealed_sessions::Arrival;

use super::compared::{Compared, likeness, pictures, shown};
use super::csrf::{Nothing, Protected};
use super::page::{Html, Page};
use super::standing::Standings;
use super::times::{Median, Times};

#[get("/compare")]
async fn compare(page: Page<'_>, standings: Standings<'_>, taken: &State<Taken>) -> Html {
    let mut realms = Vec::new();
    for path in page.realm_paths() {
        let start = Instant::now();
        let session = page.realms().read_only(path).await.ok();
        let took = start.elapsed();
        // A session that does not exist yet takes no time to load.
        if session.is_some_and(|session| session.arrival() == Arrival::Resumed) {
            taken.add(Step::Load(path), took);
        }
        let loads = taken.median(Step::Load(path));
        realms.push(Compared::of(&page, &standings, path, session, loads).await);
    }
    let own = context! {
        compared: &realms,
        likeness: likeness(&realms),
        pictures: pictures(&realms),
        save: taken.median(Step::Save).map(shown),
    };
    page.show_form_anywhere("compare", "Compare", own).await
}

/// Counts a visit in every realm whose store answers.
#[post("/compare", data = "<_form>")]
async fn step(page: Page<'_>, _form: Protected<Nothing>) -> Redirect {
    for path in page.realm_paths() {
        let Ok(session) = page.realms().session(path).await else { continue };
        session.update(|visitor| visitor.visits = visitor.visits.saturating_add(1));
    }
    Redirect::to(uri!(compare))
}

/// What is timed.
#[derive(Clone, Copy, PartialEq)]
enum Step<'p> {
    /// Loading the session of the realm at this path, where the page shows it: as any page does that reads.
    Load(&'p str),
    /// Saving those of all realms after a click.
    Save,
}

/// What the steps took the last times on this server, for any visitor. Not in a session: what saving took is known only once
/// it is saved, and a page that is shown writes nothing.
#[derive(Default)]
pub(super) struct Taken(Mutex<BTreeMap<String, Times>>);

impl Taken {
    fn median(&self, step: Step<'_>) -> Option<Median> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(step.name())?.median()
    }

    fn add(&self, step: Step<'_>, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(step.name().to_owned()).or_default().add(took);
    }
}

impl<'p> Step<'p> {
    /// No path is empty.
    fn name(self) -> &'p str {
        match self {
            Step::Load(path) => path,
            Step::Save => "",
        }
    }
}

/// When the sessions of a click began to be saved.
struct SaveStart(Instant);

/// Starts the stopwatch of a click. Attached before the sessions, which save in their response fairing.
pub(super) fn before_saving() -> impl Fairing {
    AdHoc::on_response("Before Saving", |request, _| {
        Box::pin(async move {
            if is_click(request) {
                request.local_cache(|| SaveStart(Instant::now()));
            }
        })
    })
}

/// Keeps what saving took. Attached after the sessions.
pub(super) fn after_saving() -> impl Fairing {
    AdHoc::on_response("After Saving", |request, response| {
        Box::pin(async move {
            if !is_click(request) || response.status() != Status::SeeOther {
                return;
            }
            let SaveStart(start) = request.local_cache(|| SaveStart(Instant::now()));
            if let Some(taken) = request.rocket().state::<Taken>() {
                taken.add(Step::Save, start.elapsed());
            }
        })
    })
}

fn is_click(request: &Request<'_>) -> bool {
    request.method() == Method::Post && request.uri().path() == "/compare"
}

pub(super) fn routes() -> Vec<Route> {
    routes![compare, step]
}

//! `GET|POST /compare`: the same step in every realm, and what it took in each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rocket::fairing::{AdHoc, Fairing};
use rocket::http::{Method, Status};
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::{Route, State, get, post, routes, uri};
use rocket_dyn_templates::context;
use sealed_sessions::{Arrival, SessionError};

use super::compared::{Compared, likeness, pictures, shown};
use super::csrf::{Nothing, Protected};
use super::page::{Html, Page};
use super::standing::Standings;
use super::times::{Median, Times};
use super::visitor::Session;

#[get("/compare")]
async fn compare(page: Page<'_>, standings: Standings<'_>, saves: &State<SaveTimes>) -> Html {
    let mut realms = Vec::new();
    for path in page.realm_paths() {
        realms.push(Compared::of(&page, &standings, path).await);
    }
    let own = context! {
        compared: &realms,
        likeness: likeness(&realms),
        pictures: pictures(&realms),
        save: saves.median().map(shown),
    };
    page.show_form_anywhere("compare", "Compare", own).await
}

/// Counts a visit in every realm.
#[post("/compare", data = "<_form>")]
fn step(loads: TimedLoads<'_>, _form: Protected<Nothing>) -> Redirect {
    // A session that does not exist yet takes no time to load. All of a click count or none, so that what the
    // sessions hold stays equal.
    let loaded = |load: &Load<'_>| matches!(load.session.arrival(), Arrival::Resumed | Arrival::Stale { .. });
    let measured = loads.0.iter().all(loaded);
    for Load { session, took } in loads.0 {
        session.update(|visitor| {
            visitor.visits = visitor.visits.saturating_add(1);
            if measured {
                visitor.loads.add(took);
            }
        });
    }
    Redirect::to(uri!(compare))
}

/// The sessions of all realms whose store answers. A request guard, since those run before the form is
/// read: checking its token loads one of these sessions too, which could no longer be timed.
struct TimedLoads<'r>(Vec<Load<'r>>);

struct Load<'r> {
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
            loads.push(Load { session, took: start.elapsed() });
        }
        Outcome::Success(TimedLoads(loads))
    }
}

/// What saving took after the last clicks on this server, anybody's: it is known only once the sessions are saved, so
/// that none of them can hold it.
#[derive(Default)]
pub(super) struct SaveTimes(Mutex<Times>);

impl SaveTimes {
    fn median(&self) -> Option<Median> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).median()
    }

    fn add(&self, took: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(took);
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
            if let Some(saves) = request.rocket().state::<SaveTimes>() {
                saves.add(start.elapsed());
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

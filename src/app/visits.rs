//! The realm's own page: a visit counter.

use rocket::http::CookieJar;
use rocket::{Route, get, routes};
use rocket_dyn_templates::context;
use serde_json::json;

use super::copies;
use super::page::{Ended, Html, Page};
use super::visitor::{Session, Visitor};

#[get("/")]
fn visits(session: Session<'_>, page: Page<'_>, cookies: &CookieJar<'_>) -> Html {
    let is_over = page.ended() == Some(Ended::Account);
    let visits = session.update(|visitor| {
        if is_over {
            *visitor = Visitor { visits: visitor.visits, ..Visitor::default() };
        }
        visitor.visits = visitor.visits.saturating_add(1);
        visitor.visits
    });
    let copy = copies::told(cookies, page.realm()).filter(|_| page.user().is_none());
    let own = context! {
        visits,
        copy: copy.map(|expires| json!({ "idle": page.when(expires.idle), "absolute": page.when(expires.absolute) })),
        first: visits == 1,
        bytes: session.inspect().wire().map_or(0, |wire| wire.request),
        ends: session.expires().map(|deadlines| page.relative(deadlines.idle)),
    };
    page.show("visits", "Visits", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![visits]
}

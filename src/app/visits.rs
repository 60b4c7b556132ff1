//! The realm's own page: a visit counter.

use rocket::{Route, get, routes};
use rocket_dyn_templates::context;

use super::flash::Flash;
use super::page::{Ended, Html, Page};
use super::visitor::{Session, Visitor};

#[get("/")]
fn visits(session: Session<'_>, page: Page<'_>) -> Html {
    if page.ended() == Some(Ended::Account) {
        session.update(|visitor| *visitor = Visitor { visits: visitor.visits, ..Visitor::default() });
    }
    let visits = session.update(|visitor| {
        visitor.visits = visitor.visits.saturating_add(1);
        visitor.visits
    });
    let own = context! {
        visits,
        first: visits == 1,
        registered: session.get().flash == Some(Flash::Registered),
        bytes: session.inspect().wire().map_or(0, |wire| wire.request),
        ends: session.expires().map(|deadlines| page.relative(deadlines.idle)),
    };
    page.show("visits", "Visits", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![visits]
}

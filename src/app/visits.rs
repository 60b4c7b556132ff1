//! The realm's own page: a visit counter.

use rocket::{Route, get, routes};
use rocket_dyn_templates::{Template, context};

use super::page::Page;
use super::visitor::Session;

#[get("/")]
fn visits(session: Session<'_>, page: Page<'_>) -> Template {
    let visits = session.update(|visitor| {
        visitor.visits += 1;
        visitor.visits
    });
    let own = context! {
        visits,
        first: visits == 1,
        bytes: session.wire().map_or(0, |wire| wire.request),
        ends: session.deadlines().map(|deadlines| page.relative(deadlines.idle)),
    };
    page.show("visits", "Visits", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![visits]
}

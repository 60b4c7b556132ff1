//! What only somebody who is signed in sees.

use rocket::{Route, get, routes};
use rocket_dyn_templates::context;

use super::page::{Html, Page, span};
use super::visitor::User;

#[get("/profile")]
fn profile(user: User<'_>, page: Page<'_>) -> Html {
    let session = user.session;
    let deadlines = session.deadlines();
    let (idle, absolute) = session.timeouts();
    let own = context! {
        username: &user.account.name,
        times: context! {
            signed_in: session.signed_in_at().map(|moment| page.when(moment)),
            opened: session.opened_at().map(|moment| page.when(moment)),
            idle_ends: deadlines.map(|deadlines| page.when(deadlines.idle)),
            absolute_ends: deadlines.map(|deadlines| page.when(deadlines.absolute)),
        },
        idle_timeout: span(idle.whole_seconds()),
        absolute_timeout: span(absolute.whole_seconds()),
        remembered: session.record().is_some_and(|record| record.remembered),
    };
    page.show("profile", "Your profile", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![profile]
}

//! The page that only signed-in users see.

use rocket::{Route, get, routes};
use rocket_dyn_templates::context;

use super::page::{Html, Page, span};
use super::visitor::User;

#[get("/profile")]
fn profile(user: User<'_>, page: Page<'_>) -> Html {
    let session = user.session;
    let expires = session.expires();
    let timeouts = session.timeouts();
    let own = context! {
        username: &user.account.name,
        times: context! {
            signed_in: session.signed_in_at().map(|moment| page.when(moment)),
            opened: session.opened_at().map(|moment| page.when(moment)),
            idle_ends: expires.map(|expires| page.when(expires.idle)),
            absolute_ends: expires.map(|expires| page.when(expires.absolute)),
        },
        idle_timeout: span(timeouts.idle),
        absolute_timeout: span(timeouts.absolute),
        remembered: session.inspect().record().is_some_and(|record| record.remembered),
    };
    page.show("profile", "Your profile", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![profile]
}

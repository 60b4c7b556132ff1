//! The page that only signed-in users see.

use rocket::{Route, get, routes};
use rocket_dyn_templates::context;

use super::page::{Html, Page};
use super::spans::span;
use super::timeline;
use super::user::User;

#[get("/profile")]
fn profile(user: User<'_>, page: Page<'_>) -> Html {
    let session = user.session;
    let timeouts = session.timeouts();
    let own = context! {
        lookup: page.lookup(),
        username: &user.account.name,
        timeline: timeline::of(&session, &page),
        absolute_ends: session.expires().map(|expires| page.when(expires.absolute)),
        idle_timeout: span(timeouts.idle),
        absolute_timeout: span(timeouts.absolute),
        remembered: session.inspect().record().is_some_and(|record| record.remembered),
    };
    page.show("profile", "Your profile", own)
}

pub(super) fn routes() -> Vec<Route> {
    routes![profile]
}

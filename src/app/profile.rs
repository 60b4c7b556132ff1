//! The page that only signed-in users see.

use rocket::{Route, get, routes};
use rocket_dyn_templates::context;

use super::page::{Html, Page};
use super::spans::span;
use super::timeline;
use super::user::User;

/// `changed` tells of a password that was just changed: whether the other sessions of `all` realms have ended.
#[get("/profile?<changed>")]
fn profile(user: User<'_>, page: Page<'_>, changed: Option<&str>) -> Html {
    let session = user.session;
    let timeouts = session.timeouts();
    let notice = changed.map(|ended| match ended {
        "all" => "Your password has been changed. Every other session of your account has ended, in every realm.",
        _ => "Your password has been changed, but a store did not answer: check the sessions of each realm, and end those that are left.",
    });
    let own = context! {
        notice,
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

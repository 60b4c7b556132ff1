//! `GET …/signed-out`: where signing out leads. It has no form, opens no session and sets no cookie.

use rocket::http::CookieJar;
use rocket::http::uri::Host;
use rocket::{Config, Route, get, routes};
use rocket_dyn_templates::context;
use serde_json::json;

use super::copies;
use super::page::{PlainPage, Shown};
use super::visitor::ReadOnly;

/// Somebody who is signed in, again or still, is led to the profile: the page would not tell the truth.
#[get("/signed-out")]
fn signed_out(
    page: PlainPage<'_>,
    session: Option<ReadOnly<'_>>,
    cookies: &CookieJar<'_>,
    host: Option<&Host<'_>>,
    config: &Config,
) -> Shown {
    let PlainPage(page) = page;
    if session.is_some_and(|session| session.get().user.is_some()) {
        return Shown::Elsewhere(page.see_other("/profile"));
    }
    let copy = copies::told(cookies, page.realm());
    let scheme = if config.tls_enabled() { "https" } else { "http" };
    let own = context! {
        cookie: session.map(|session| session.inspect().cookie_name()),
        origin: host.map(|host| format!("{scheme}://{host}")),
        copy: copy.map(|expires| json!({ "idle": page.when(expires.idle), "absolute": page.when(expires.absolute) })),
    };
    Shown::Here(page.show("signed-out", "Signed out", own))
}

pub(super) fn routes() -> Vec<Route> {
    routes![signed_out]
}

//! `GET /`: what this is, and the state of each realm; and shortcuts to the default realm.

use rocket::response::Redirect;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::context;
use serde_json::json;

use super::code;
use super::page::{Html, Page, realm_name};
use super::settings::Settings;

#[get("/")]
async fn overview(page: Page<'_>) -> Html {
    let mut cards = Vec::new();
    for path in page.realm_paths() {
        let session = page.realms().read_only(path).await.ok();
        let visitor = session.map(|session| session.get());
        let visitor = visitor.as_deref();
        let store = page.realms().store_name(path).unwrap_or_default();
        cards.push(json!({
            "path": path,
            "name": realm_name(path),
            "store": store,
            "blurb": match session.map(|session| session.inspect().is_on_server()) {
                None => "The store of this realm does not answer just now.",
                Some(false) => "The whole session travels in the cookie. The server keeps nothing of it but the key.",
                Some(true) => "The session stays on the server. The cookie carries only its sealed id.",
            },
            "visits": visitor.map_or(0, |visitor| visitor.visits),
            "user": visitor.and_then(|visitor| visitor.user.as_ref()).map(|account| &account.name),
            "csrf": visitor.and_then(|visitor| visitor.user.as_ref()).and(session).and_then(|session| session.form_token()),
            "bytes": session.and_then(|session| session.inspect().wire()).map_or(0, |wire| wire.request),
            "ends": session.and_then(|session| session.expires()).map(|end| page.relative(end.earliest())),
        }));
    }
    page.show("overview", "Overview", context! { cards, counter: code::counter() })
}

#[get("/login")]
fn login(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/login", settings.default_realm))
}

#[get("/profile")]
fn profile(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/profile", settings.default_realm))
}

#[get("/user")]
fn user(settings: &State<Settings>) -> Redirect {
    Redirect::to(format!("{}/profile", settings.default_realm))
}

pub(super) fn routes() -> Vec<Route> {
    routes![overview, login, profile, user]
}

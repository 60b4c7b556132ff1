//! `GET|POST /compare`: the same step in every realm, and what it took in each.

use std::time::Instant;

use rocket::response::Redirect;
use rocket::{Route, get, post, routes};
use rocket_dyn_templates::context;
use serde_json::{Value, json};

use super::csrf::{self, Nothing, Protected};
use super::page::{Html, Page, realm_name};
use super::visitor::Session;

#[get("/compare")]
async fn compare(page: Page<'_>) -> Html {
    let mut realms = Vec::new();
    for path in page.realm_paths() {
        // The first to ask loads: what comes later in this request finds it loaded.
        let start = Instant::now();
        let session = page.realms().session(path).await.ok();
        let took = start.elapsed();
        let store = page.realms().store_name(path).unwrap_or_default();
        realms.push(json!({
            "name": realm_name(path),
            "path": path,
            "store": store,
            "answers": session.is_some(),
            "kept": session.and_then(kept),
            "took": format!("{:.3}", took.as_secs_f64() * 1000.0),
        }));
    }
    page.show_form_anywhere("compare", "Compare", context! { compared: realms }).await
}

/// What is known of a session that came with this request: none of one that did not.
fn kept(session: Session<'_>) -> Option<Value> {
    let (wire, record) = (session.wire()?, session.record()?);
    let server_side = session.capabilities().server_side;
    Some(json!({
        "visits": session.get().visits,
        "up": wire.request,
        "down": wire.lines,
        "cookie": session.cookie_name(),
        "cookies": wire.cookies,
        "sealed": wire.ticket,
        "server_side": server_side,
        "server": if server_side { record.encode().len() } else { 0 },
        "version": record.version,
    }))
}

/// Counts a visit in every realm. Each session gets what the forms need, so that all hold the same.
#[post("/compare", data = "<_form>")]
async fn step(_form: Protected<Nothing>, page: Page<'_>) -> Redirect {
    for path in page.realm_paths() {
        // One whose store does not answer is shown so by the page that follows.
        let Ok(session) = page.realms().session(path).await else { continue };
        let _ = csrf::token(&session);
        session.update(|visitor| visitor.visits = visitor.visits.saturating_add(1));
    }
    Redirect::to("/compare")
}

pub(super) fn routes() -> Vec<Route> {
    routes![compare, step]
}

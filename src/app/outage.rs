//! The page of 503: what does not answer, what to do, and what still works.

use rocket::http::{Header, Status};
use rocket::request::Request;
use rocket::{Catcher, Responder, catch};
use rocket_dyn_templates::context;
use sealed_sessions::{Failure, Powers, failure};
use serde_json::json;

use super::audit::Audit;
use super::next::Next;
use super::page::{Html, Page, realm_name};
use super::store_names;

/// When a program may try again, in seconds. A store that is back is used by the next request.
const RETRY_AFTER: &str = "5";

#[derive(Responder)]
struct Unavailable {
    page: (Status, Option<Html>),
    retry_after: Header<'static>,
}

#[catch(503)]
async fn unavailable(request: &Request<'_>) -> Unavailable {
    let page = request.guard::<Page<'_>>().await.succeeded();
    let html = page.map(|page| show(&page, request));
    Unavailable {
        page: (Status::ServiceUnavailable, html),
        retry_after: Header::new("Retry-After", RETRY_AFTER),
    }
}

fn show(page: &Page<'_>, request: &Request<'_>) -> Html {
    let silent = silent(page, request);
    let copy = match failure(request) {
        Some(Failure::Unavailable { copy_lives_until }) => copy_lives_until,
        _ => None,
    };
    let own = context! {
        // Whether somebody is signed in cannot be told.
        is_unknown: page.session().is_none(),
        silent: &silent,
        copy: copy.map(|until| page.when(until)),
        again: Next::of(request).map(Next::into_string),
        // Something was done before the fault.
        is_partly_done: Audit::of(request).has_begun(),
        form_page: Next::of_form(request).map(Next::into_string),
        works: silent.as_ref().and_then(|_| independent(page)).map(|path| json!({ "path": path, "name": realm_name(path) })),
    };
    page.show("outage", "Error: Not available right now", own)
}

/// What of the realm does not answer; `None` if it is something else, such as the accounts.
fn silent(page: &Page<'_>, request: &Request<'_>) -> Option<String> {
    let path = page.realms().here()?;
    let has_failed = matches!(failure(request), Some(Failure::Unavailable { .. }));
    if page.session().is_some() && !has_failed {
        return None;
    }
    Some(match page.powers() {
        Powers::Ends => "ledger of ended sessions".to_owned(),
        _ => format!(
            "session store ({})",
            store_names::written(page.realms().store_name(path).unwrap_or_default())
        ),
    })
}

/// A realm that asks no store.
fn independent<'r>(page: &Page<'r>) -> Option<&'r str> {
    page.realm_paths().into_iter().find(|path| page.realms().powers(path) == Some(Powers::Nothing))
}

pub(super) fn catchers() -> Vec<Catcher> {
    rocket::catchers![unavailable]
}

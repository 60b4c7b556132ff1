//! The error pages.

use rocket::http::Status;
use rocket::request::Request;
use rocket::response::Redirect;
use rocket::{Catcher, catch};
use rocket_dyn_templates::context;
use serde_json::json;

use super::csrf::{self, Refusal};
use super::login::{self, FormState};
use super::next::Next;
use super::page::{Html, Page};
use super::settings::Settings;
use crate::session::{Failure, failure};

/// Whoever is not signed in is sent to do so, and back.
#[catch(401)]
async fn unauthorized(request: &Request<'_>) -> Redirect {
    let page = request.guard::<Page<'_>>().await.succeeded();
    let realm = page.as_ref().map_or("", |page| page.realm());
    let ended = page.as_ref().and_then(|page| page.ended());
    let realm = match (realm, request.rocket().state::<Settings>()) {
        ("", Some(settings)) => &settings.default_realm,
        (realm, _) => realm,
    };
    Redirect::to(login::uri(realm, Next::of(request), ended))
}

/// A form that was refused is offered again, with a token of the session as it is now.
#[catch(403)]
async fn forbidden(request: &Request<'_>) -> Option<Html> {
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    let refusal = csrf::refusal(request);
    let kind = match request.uri().path().segments().last() {
        Some(form @ ("login" | "register" | "logout")) if refusal.is_some() => form,
        _ => "back",
    };
    let explanation = match refusal {
        Some(Refusal::CrossSite) => "The form was sent by another site.",
        Some(Refusal::NoCookie) => "The form came without the cookie that shows it is yours.",
        Some(Refusal::Token) => {
            "The form was older than your session, as happens with two tabs. Nothing was changed; here it is again."
        }
        None => "This is not for you to see.",
    };
    let typed = csrf::typed(request);
    let form = FormState {
        username: typed.username.clone(),
        next: login::checked(typed.next.as_deref()),
        ..FormState::default()
    };
    let own = context! {
        status: 403,
        reason: Status::Forbidden.reason_lossy(),
        explanation,
        advice: Vec::<String>::new(),
        kind,
        no_cookie: refusal == Some(Refusal::NoCookie),
        form,
    };
    Some(page.show_form("error", Status::Forbidden.reason_lossy(), own))
}

#[catch(default)]
async fn other(status: Status, request: &Request<'_>) -> Option<Html> {
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    let (explanation, advice): (&str, Vec<String>) = match status.code {
        400 => ("The request could not be understood.", Vec::new()),
        404 => ("There is no page here.", vec!["Check the address, or begin at the overview.".into()]),
        413 => ("That was more than a form may hold.", vec!["Nothing was changed. Send less.".into()]),
        415 => ("That was sent in a way that this page does not read.", Vec::new()),
        422 => (
            "The form was not complete.",
            vec!["Nothing was changed. Go back and fill in every field.".into()],
        ),
        429 => ("That was too often.", vec!["Wait a moment, then try again.".into()]),
        500 => match failure(request) {
            Some(Failure::TooLarge) => (
                "Your session has grown larger than a cookie can hold.",
                vec!["The last change was not kept; everything before it was.".into()],
            ),
            _ => (
                "Something is wrong on our side.",
                vec!["Nothing that you had is lost. Try again later.".into()],
            ),
        },
        503 => ("The site cannot do that just now.", outage_advice(request)),
        _ => ("The request was not answered as you may have hoped.", Vec::new()),
    };
    let reason = status.reason_lossy();
    let own = context! {
        status: status.code, reason, explanation, advice, kind: "back", no_cookie: false, form: json!(null),
    };
    Some(page.show("error", reason, own))
}

fn outage_advice(request: &Request<'_>) -> Vec<String> {
    match failure(request) {
        Some(Failure::Unavailable { copy_lives_until: Some(until) }) => vec![
            "This browser is signed out.".into(),
            format!("A copy of your session may stay on the server until {until}."),
        ],
        _ => vec!["Nothing that you had is lost. Try again in a moment.".into()],
    }
}

pub(super) fn catchers() -> Vec<Catcher> {
    rocket::catchers![unauthorized, forbidden, other]
}

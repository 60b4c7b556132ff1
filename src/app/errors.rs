//! The error pages.

use rocket::http::{Header, Status};
use rocket::request::Request;
use rocket::response::{self, Redirect, Responder};
use rocket::{Catcher, catch};
use rocket_dyn_templates::context;
use sealed_sessions::{Arrival, Failure, failure};
use serde_json::json;

use super::confirm;
use super::csrf::{self, Refusal};
use super::headers;
use super::login::{self, FormState};
use super::next::Next;
use super::page::{Html, Page};
use super::settings::Settings;

/// Sends visitors who are not signed in to the login, and those who signed in long ago to confirm that it is still them;
/// and back afterwards.
#[catch(401)]
async fn unauthorized(request: &Request<'_>) -> Redirect {
    let page = request.guard::<Page<'_>>().await.succeeded();
    let realm = page.as_ref().map_or("", |page| page.realm());
    let ended = page.as_ref().and_then(|page| page.ended());
    if page.as_ref().is_some_and(|page| page.user().is_some()) {
        let next = Next::of(request).or_else(|| Next::of_form(request));
        return Redirect::to(confirm::uri(realm, next));
    }
    let realm = match (realm, request.rocket().state::<Settings>()) {
        ("", Some(settings)) => &settings.default_realm,
        (realm, _) => realm,
    };
    Redirect::to(login::uri(realm, Next::of(request), ended))
}

/// Offers a form again whose page had expired, with a token of the current session; but not where the browser kept its
/// cookie back, since there is no such token then.
#[catch(403)]
async fn forbidden(request: &Request<'_>) -> Option<Html> {
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    let refusal = csrf::refusal(request);
    let has_expired = matches!(refusal, Some(Refusal::NoCookie | Refusal::Token));
    let (kind, heading) = match request.uri().path().segments().last() {
        Some(_) if !has_expired || page.is_withheld() => ("back", "Forbidden"),
        Some("login") => ("login", "Sign in"),
        Some("register") => ("register", "Create an account"),
        Some("logout") if page.user().is_some() => ("logout", "Sign out"),
        _ => ("back", "This page had expired"),
    };
    let typed = csrf::typed(request);
    let own = context! {
        status: 403,
        reason: heading,
        explanation: refused_because(refusal, page.is_withheld(), kind != "back"),
        advice: Vec::<String>::new(),
        kind,
        form_page: form_page(Status::Forbidden, request),
        // Once it may have been the time that passed; twice it is the browser.
        no_cookie: refusal == Some(Refusal::NoCookie) && typed.again,
        form: FormState {
            username: typed.username.clone(),
            remember: typed.remember,
            next: login::checked(typed.next.as_deref()),
            again: true,
            ..FormState::default()
        },
    };
    let title = format!("Error: {heading}");
    Some(match page.session() {
        // A token would open a session.
        Some(session) if kind != "back" => page.show_form(&session, "error", &title, own),
        _ => page.show("error", &title, own),
    })
}

fn refused_because(refusal: Option<Refusal>, is_withheld: bool, is_shown_again: bool) -> &'static str {
    match refusal {
        Some(Refusal::CrossSite) if is_withheld => {
            "Another site sent the form, so your browser withheld your cookie. Nothing was changed."
        }
        Some(Refusal::CrossSite) => "Another site sent the form. Nothing was changed.",
        Some(_) if is_shown_again => "This page had expired; please send it again.",
        Some(_) => "Nothing was changed. Go back to the form, and send it again.",
        None => "You are not allowed to see this.",
    }
}

/// The page for a request that Rocket could not read, which no fairing sees.
struct Unread(Option<Html>);

impl<'r> Responder<'r, 'static> for Unread {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = self.0.respond_to(request)?;
        for header in headers::all() {
            response.set_header(header);
        }
        response.set_header(Header::new("Cache-Control", "no-store"));
        Ok(response)
    }
}

#[catch(400)]
async fn unread(status: Status, request: &Request<'_>) -> Unread {
    Unread(page(status, request).await)
}

#[catch(default)]
async fn other(status: Status, request: &Request<'_>) -> Option<Html> {
    page(status, request).await
}

async fn page(status: Status, request: &Request<'_>) -> Option<Html> {
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    let (explanation, advice): (&str, Vec<String>) = match status.code {
        400 => ("The request could not be understood.", Vec::new()),
        409 if is_stale(&page) => (
            "Your browser sent an older version of your session than this server has seen, as happens with two tabs.",
            vec!["Nothing was changed. Check the current page, then send the form again.".into()],
        ),
        404 => ("This page does not exist.", vec!["Check the address.".into()]),
        409 if failure(request) == Some(Failure::TooManySessions) => (
            "You are already signed in on as many browsers as allowed.",
            vec!["Nothing was changed. Sign out on one of them, then sign in here.".into()],
        ),
        413 => ("The form was too large.", vec!["Nothing was changed. Send less.".into()]),
        415 => ("The form was sent in a format that this page does not accept.", Vec::new()),
        422 => (
            "The form was incomplete.",
            vec!["Nothing was changed. Fill in every field with plain text, then send it again.".into()],
        ),
        429 => ("Too many attempts.", vec!["Wait a moment, then try again.".into()]),
        500 => match failure(request) {
            Some(Failure::TooLarge) => (
                "Your session has grown too large.",
                vec!["The last change was not saved; everything before it was.".into()],
            ),
            _ => ("Something went wrong on our side.", vec!["Nothing is lost. Try again later.".into()]),
        },
        _ => ("The request could not be answered.", Vec::new()),
    };
    let reason = status.reason_lossy();
    let own = context! {
        status: status.code,
        reason,
        explanation,
        advice,
        kind: "back",
        form_page: form_page(status, request),
        no_cookie: false,
        form: json!(null),
    };
    Some(page.show("error", &format!("Error: {reason}"), own))
}

/// Whether a handler has refused the session because it is not the newest.
fn is_stale(page: &Page<'_>) -> bool {
    page.session().is_some_and(|session| matches!(session.arrival(), Arrival::Stale { .. }))
}

/// The page that a refused form was sent from.
fn form_page(status: Status, request: &Request<'_>) -> Option<String> {
    let is_refused = matches!(status.code, 403 | 409 | 413 | 415 | 422);
    Next::of_form(request).filter(|_| is_refused).map(Next::into_string)
}

pub(super) fn catchers() -> Vec<Catcher> {
    rocket::catchers![unread, unauthorized, forbidden, other]
}

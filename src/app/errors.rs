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

/// Offers a form again that had expired, with a token of the current session; but not where the browser kept its
/// cookie back, since there is no such token then.
#[catch(403)]
async fn forbidden(request: &Request<'_>) -> Option<Html> {
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    let refusal = csrf::refusal(request);
    let has_expired = matches!(refusal, Some(Refusal::NoCookie | Refusal::Token));
    let (kind, heading) = match request.uri().path().segments().last() {
        Some(_) if !has_expired || page.is_withheld() => ("back", "Not allowed"),
        Some("login") => ("login", "Sign in"),
        Some("register") => ("register", "Create an account"),
        Some("logout") if page.user().is_some() => ("logout", "Sign out"),
        _ => ("back", "This form had expired"),
    };
    let typed = csrf::typed(request);
    let own = context! {
        status: 403,
        is_of_lab: request.uri().path().segments().next() == Some("lab"),
        reason: heading,
        explanation: refused_because(refusal, page.is_withheld(), kind != "back"),
        advice: None::<&str>,
        kind,
        form_page: form_page(Status::Forbidden, request),
        // Once it may have been the time that passed; twice it is the browser, and to send it once more would not help.
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
        Some(_) if is_shown_again => "This form had expired. Please send it again.",
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
    let Words { heading, explanation, advice } = words(status, failure(request), is_stale(&page));
    let own = context! {
        status: status.code,
        reason: heading,
        explanation,
        advice,
        kind: "back",
        form_page: form_page(status, request),
        no_cookie: false,
        form: json!(null),
    };
    Some(page.show("error", &format!("Error: {heading}"), own))
}

/// What an error page says.
struct Words {
    heading: &'static str,
    explanation: &'static str,
    advice: Option<&'static str>,
}

fn words(status: Status, failure: Option<Failure>, is_stale: bool) -> Words {
    let (heading, explanation, advice) = match status.code {
        400 => ("Request not understood", "The request could not be understood.", None),
        404 => ("Page not found", "There is no page at this address.", Some("Check the address.")),
        409 if is_stale => (
            "Session out of date",
            "Your browser sent an older version of your session than this server has seen, as can happen with two open tabs.",
            Some(
                "Nothing was changed. Go back, check what the page says now, and send the form again. \
                 The server could tell because it remembers the number of the newest version that it saw.",
            ),
        ),
        409 if failure == Some(Failure::TooManySessions) => (
            "Too many sessions",
            "You are already signed in on as many browsers as are allowed.",
            Some("Nothing was changed. Sign out on one of them, then sign in here."),
        ),
        413 => (
            "Too large",
            "The form was larger than this page accepts.",
            Some("Nothing was changed. Shorten what you typed, then send the form again."),
        ),
        415 => (
            "Format not accepted",
            "The form was sent in a format that this page does not accept.",
            Some("Nothing was changed."),
        ),
        422 => (
            "Form incomplete",
            "A field of the form was missing, or could not be read.",
            Some("Nothing was changed. Go back to the form, fill in every field, and send it again."),
        ),
        429 => {
            ("Too many attempts", "You have tried this too often.", Some("Wait a moment, then try again."))
        }
        500 if failure == Some(Failure::TooLarge) => (
            "Session too large",
            "Your session has grown too large.",
            Some("The last change was not saved; everything before it was."),
        ),
        500 => {
            ("Something went wrong", "The mistake is on our side.", Some("Nothing is lost. Try again later."))
        }
        _ => (status.reason_lossy(), "The request could not be answered.", None),
    };
    Words { heading, explanation, advice }
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

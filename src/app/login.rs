//! Signing in.

use std::borrow::Cow;

use rocket::form::FromForm;
use rocket::http::{Header, Status};
use rocket::response::Redirect;
use rocket::{Responder, Route, State, get, post, routes};
use serde::Serialize;

use super::accounts::{Account, AccountError, Accounts, Verified};
use super::audit::Audit;
use super::browser::Browser;
use super::csrf::Protected;
use super::flash::Flash;
use super::next::Next;
use super::page::{Ended, Html, Page, Shown};
use super::spans::span;
use super::throttle::{Address, Wait};
use super::visitor::{Session, sign_in};

/// The answer to a form: continue, or see what was wrong with it.
#[derive(Responder)]
pub(super) enum Answer {
    Done(Redirect),
    Again((Status, Html)),
    Later(Later),
    Fault(Status),
}

/// A form whose password was not checked, since too many were wrong: `Retry-After` says to programs when to send it again.
#[derive(Responder)]
pub(super) struct Later {
    page: (Status, Html),
    retry_after: Header<'static>,
}

impl Answer {
    /// The answer to an attempt that came too early: the form that `show` makes of the sentence about it. Logs it as
    /// `event`, with the account of someone who is signed in.
    pub(super) fn later(
        audit: &Audit,
        event: &'static str,
        account: Option<&Account>,
        wait: Wait,
        show: impl FnOnce(Cow<'static, str>) -> Html,
    ) -> Answer {
        audit.too_often(event, account, wait);
        let seconds = wait.seconds();
        let html = show(format!("Too many attempts. Try again in {}.", at_least(seconds)).into());
        let retry_after = Header::new("Retry-After", seconds.to_string());
        Answer::Later(Later { page: (Status::TooManyRequests, html), retry_after })
    }
}

/// A length of time, rounded up: after it an attempt does not come too early again.
fn at_least(seconds: i64) -> String {
    let unit = match seconds {
        ..120 => 1,
        120..7200 => 60,
        _ => 3600,
    };
    span(seconds.saturating_add(unit - 1) / unit * unit)
}

/// What a form shows: what was typed, without the password, and what is wrong.
#[derive(Default, Serialize)]
pub(super) struct FormState {
    pub(super) username: String,
    pub(super) remember: bool,
    pub(super) next: Option<String>,
    /// Whether it is shown again because its page had expired.
    pub(super) again: bool,
    pub(super) error: Option<Cow<'static, str>>,
    pub(super) username_error: Option<&'static str>,
    pub(super) password_error: Option<&'static str>,
}

/// A form as a template's context.
#[derive(Serialize)]
pub(super) struct WithForm {
    pub(super) form: FormState,
}

/// The form for a visitor who was sent here, and why.
#[derive(Serialize)]
struct Entrance {
    form: FormState,
    notice: Option<String>,
}

#[derive(FromForm)]
struct Credentials {
    username: String,
    password: String,
    #[field(default = false)]
    remember: bool,
    next: Option<String>,
}

#[get("/login?<next>&<ended>")]
fn form(session: Session<'_>, page: Page<'_>, next: Option<&str>, ended: Option<Ended>) -> Shown {
    if let Some(profile) = past_the_form(session, &page) {
        return Shown::Elsewhere(profile);
    }
    let next = checked(next);
    let notice = match (ended.or(page.ended()), &next) {
        (Some(ended), _) => Some(page.explain(ended)),
        (None, Some(next)) => Some(reason(next).to_owned()),
        (None, None) => None,
    };
    let form = FormState { next, ..FormState::default() };
    Shown::Here(page.show_form(&session, "login", "Sign in", Entrance { form, notice }))
}

/// The way of somebody who is signed in already: to the profile, which says so.
pub(super) fn past_the_form(session: Session<'_>, page: &Page<'_>) -> Option<Redirect> {
    page.user()?;
    session.update(|visitor| visitor.flash = Some(Flash::AlreadySignedIn));
    Some(page.see_other("/profile"))
}

/// Why the page at `next` has sent somebody to sign in.
fn reason(next: &str) -> &'static str {
    let path = next.split('?').next().unwrap_or_default();
    match path.rsplit('/').next() {
        Some("profile") => "Sign in to see your profile.",
        Some("sessions") => "Sign in to see your sessions.",
        Some("password") => "Sign in to change your password.",
        Some("delete") => "Sign in to delete your account.",
        _ => "Sign in to go on.",
    }
}

#[post("/login", data = "<form>")]
async fn submit(
    form: Protected<Credentials>,
    session: Session<'_>,
    page: Page<'_>,
    browser: Browser,
    audit: Audit,
    accounts: &State<Accounts>,
    from: Address,
) -> Answer {
    let Credentials { username, password, remember, next } = form.into_inner();
    let refused = match accounts.verify(from, &username, password).await {
        Ok(Verified::Right(proven)) => {
            sign_in(session, proven, remember, browser, Flash::SignedIn);
            return Answer::Done(onward(&page, next.as_deref()));
        }
        Ok(refused) => refused,
        Err(error) => return fault(&audit, &error),
    };
    audit.sign_in_refused(&refused, &username);
    let show = |error| {
        let next = checked(next.as_deref());
        let form = FormState { username, remember, next, error: Some(error), ..FormState::default() };
        page.show_form(&session, "login", "Error: Sign in", WithForm { form })
    };
    match refused {
        Verified::TooOften(wait) => Answer::later(&audit, "sign_in_refused", None, wait, show),
        _ => Answer::Again((Status::Unauthorized, show("Wrong username or password.".into()))),
    }
}

/// Where a sign-in leads: to `next` if it is a path of this site, else to the realm's own page.
pub(super) fn onward(page: &Page<'_>, next: Option<&str>) -> Redirect {
    checked(next).map_or_else(|| page.see_other(""), Redirect::to)
}

pub(super) fn checked(next: Option<&str>) -> Option<String> {
    next.and_then(Next::checked).map(Next::into_string)
}

pub(super) fn fault(audit: &Audit, error: &AccountError) -> Answer {
    audit.fault(error);
    Answer::Fault(Status::ServiceUnavailable)
}

/// The address of the sign-in form of a realm, with the page to return to and why the session ended.
pub(super) fn uri(realm: &str, next: Option<Next>, ended: Option<Ended>) -> String {
    let next = next.map(Next::into_string);
    format!("{realm}{}", rocket::uri!(form(next = next.as_deref(), ended = ended)))
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}

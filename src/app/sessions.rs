//! `GET …/sessions`: where the account is signed in, as far as the realm's store knows, and what ends those sessions
//! (ASVS 5.0, 7.5.2).

use rocket::form::FromForm;
use rocket::http::Status;
use rocket::{Route, get, post, routes};
use rocket_dyn_templates::context;
use sealed_sessions::{Ended, Other, SessionError};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::audit::Audit;
use super::csrf::{Nothing, Protected};
use super::flash::Flash;
use super::login::Answer;
use super::page::{Html, Page};
use super::user::{Recent, User};
use super::visitor::{Session, Visitor};

/// The most sessions that are listed; the ones that were used last.
const MAX_LISTED: usize = 100;

#[get("/sessions")]
async fn sessions(user: User<'_>, page: Page<'_>) -> Result<Html, Status> {
    show(user.session, &page, None).await.map_err(fault)
}

#[derive(FromForm)]
struct One {
    session: String,
}

#[post("/sessions/end", data = "<form>")]
async fn end(form: Protected<One>, user: Recent<'_>, page: Page<'_>, audit: Audit) -> Result<Answer, Status> {
    let Recent(User { session, .. }) = user;
    let problem = match session.end_other(&form.into_inner().session).await.map_err(fault)? {
        Some(true) => return Ok(told(session, &page, &audit, Some(1))),
        Some(false) => "No other session of yours has this name. It may have ended already.",
        None => CANNOT,
    };
    again(session, &page, problem).await
}

#[post("/sessions/end-all", data = "<_form>")]
async fn end_all(
    _form: Protected<Nothing>,
    user: Recent<'_>,
    page: Page<'_>,
    audit: Audit,
) -> Result<Answer, Status> {
    let Recent(User { session, .. }) = user;
    let done = |count| Ok(told(session, &page, &audit, count));
    match session.end_others().await.map_err(fault)? {
        Ended::Sessions(count) => done(Some(count)),
        Ended::Uncounted => done(None),
        Ended::Unable => again(session, &page, CANNOT).await,
    }
}

/// Leads to the list, which tells how many sessions have ended.
fn told(session: Session<'_>, page: &Page<'_>, audit: &Audit, count: Option<u64>) -> Answer {
    audit.begin();
    session.update(|visitor| visitor.flash = Some(Flash::OthersEnded(count)));
    Answer::Done(page.see_other("/sessions"))
}

const CANNOT: &str = "This realm cannot do that: see below. Nothing was changed.";

async fn again(session: Session<'_>, page: &Page<'_>, problem: &'static str) -> Result<Answer, Status> {
    let html = show(session, page, Some(problem)).await.map_err(fault)?;
    Ok(Answer::Again((Status::UnprocessableEntity, html)))
}

/// What the library says of it is in the log already.
fn fault(_: SessionError) -> Status {
    Status::ServiceUnavailable
}

async fn show(
    session: Session<'_>,
    page: &Page<'_>,
    problem: Option<&'static str>,
) -> Result<Html, SessionError> {
    let mut others = session.others().await?;
    let count = others.as_ref().map_or(0, Vec::len);
    if let Some(others) = &mut others {
        others.sort_by_key(|other| std::cmp::Reverse(other.listed.seen));
        others.truncate(MAX_LISTED);
    }
    let listed = others.map(|others| others.iter().map(|other| row(other, page)).collect::<Vec<_>>());
    let this = json!({
        "handle": session.inspect().handle(),
        "browser": session.get().browser,
        "signed_in": session.signed_in_at().map(|moment| page.when(moment)),
        "remembered": session.inspect().record().is_some_and(|record| record.remembered),
    });
    let own = context! {
        this,
        others: listed,
        unlisted: count.saturating_sub(MAX_LISTED),
        lookup: page.lookup(),
        absolute_ends: session.expires().map(|expires| page.when(expires.absolute)),
        problem,
    };
    let title = if problem.is_some() { "Error: Your sessions" } else { "Your sessions" };
    Ok(page.show("sessions", title, own))
}

fn row(other: &Other, page: &Page<'_>) -> Value {
    let when = |seconds| {
        page.when(OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH))
    };
    let data: Option<Visitor> = serde_json::from_str(&other.listed.data).ok();
    json!({
        "handle": other.handle,
        "browser": data.and_then(|visitor| visitor.browser),
        "signed_in": when(other.listed.signed_in.unwrap_or(other.listed.created)),
        "seen": when(other.listed.seen),
        "remembered": other.listed.remembered,
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![sessions, end, end_all]
}

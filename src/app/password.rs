//! `GET|POST …/password`: another password, which ends every other session of the account (ASVS 5.0, 6.2.2, 6.2.3 and
//! 7.4.3).

use std::borrow::Cow;

use rocket::form::FromForm;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::context;
use sealed_sessions::Powers;

use super::account_changes::Proof;
use super::accounts::{Accounts, Stamp};
use super::audit::Audit;
use super::csrf::Protected;
use super::elsewhere::end_in_other_realms;
use super::login::{Answer, fault};
use super::page::{Html, Page};
use super::passwords;
use super::throttle::Address;
use super::user::{Recent, User};
use super::visitor::{Current, Session};

#[derive(FromForm)]
struct Change {
    current_password: String,
    new_password: String,
}

#[get("/password")]
fn form(user: Recent<'_>, page: Page<'_>) -> Html {
    let Recent(User { session, .. }) = user;
    show(session, &page, None, None)
}

/// Asks no older proof than the current password.
#[post("/password", data = "<form>")]
async fn submit(
    form: Protected<Change>,
    user: User<'_>,
    _newest: Current<'_>,
    page: Page<'_>,
    audit: Audit,
    accounts: &State<Accounts>,
    from: Address,
) -> Answer {
    let Change { current_password, new_password } = form.into_inner();
    let User { session, account } = user;
    let again = |current: Option<&'static str>, new| {
        let html = show(session, &page, current.map(Cow::from), new);
        Answer::Again((Status::UnprocessableEntity, html))
    };
    let new_problem = passwords::problem(&new_password, &account.name);
    let proven = match accounts.prove(from, &account, current_password).await {
        Ok(Proof::Right(proven)) if new_problem.is_none() => proven,
        Ok(Proof::Right(_)) => return again(None, new_problem),
        Ok(Proof::Wrong) => {
            audit.wrong_password(REFUSED, &account);
            return again(Some(WRONG), new_problem);
        }
        Ok(Proof::TooOften(wait)) => {
            return Answer::later(&audit, REFUSED, Some(&account), wait, |error| {
                show(session, &page, Some(error), new_problem)
            });
        }
        Err(error) => return fault(&audit, &error),
    };
    // Before the change, so that a store that does not answer refuses it; and after it, since somebody may have signed
    // in meanwhile with the old password.
    if end_in_other_realms(&page, &account).await.is_err() {
        return Answer::Fault(Status::ServiceUnavailable);
    }
    let stamp = match accounts.change_password(&proven, new_password).await {
        Ok(Some(stamp)) => stamp,
        Ok(None) => return again(Some(WRONG), None),
        Err(error) => return fault(&audit, &error),
    };
    audit.done("password_changed", &account);
    keep(session, stamp);
    let here = session.end_others().await;
    let is_whole = end_in_other_realms(&page, &account).await.and(here).is_ok();
    if !is_whole {
        audit.sessions_left(&account);
    }
    Answer::Done(page.see_other(if is_whole { "/profile?changed=all" } else { "/profile?changed=partly" }))
}

const REFUSED: &str = "password_change_refused";
const WRONG: &str = "That is not your current password. Nothing was changed.";

/// Keeps the session that the password was changed in: its user has just proven who they are.
fn keep(session: Session<'_>, stamp: Stamp) {
    let is_compared = session.inspect().powers() == Powers::Nothing;
    session.sign_in(|visitor| visitor.stamp = is_compared.then_some(stamp));
}

fn show(
    session: Session<'_>,
    page: &Page<'_>,
    current_error: Option<Cow<'static, str>>,
    new_error: Option<&'static str>,
) -> Html {
    let is_wrong = current_error.is_some() || new_error.is_some();
    let title = if is_wrong { "Error: Change your password" } else { "Change your password" };
    page.show_form(&session, "password", title, context! { current_error, new_error })
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}

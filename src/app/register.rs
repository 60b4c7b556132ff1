//! Making an account, and being signed in with it. An existing name with its own password signs in too: the form may
//! have been sent twice, or its answer lost.

use rocket::form::FromForm;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};

use super::accounts::{Accounts, Registration};
use super::audit::Audit;
use super::browser::Browser;
use super::csrf::Protected;
use super::flash::Flash;
use super::login::{Answer, FormState, WithForm, checked, fault, onward, past_the_form};
use super::names;
use super::page::{Page, Shown};
use super::passwords;
use super::throttle::Address;
use super::visitor::{Session, sign_in};

#[derive(FromForm)]
struct NewAccount {
    username: String,
    password: String,
    next: Option<String>,
}

#[get("/register?<next>")]
fn form(session: Session<'_>, page: Page<'_>, next: Option<&str>) -> Shown {
    if let Some(profile) = past_the_form(session, &page) {
        return Shown::Elsewhere(profile);
    }
    let form = FormState { next: checked(next), ..FormState::default() };
    Shown::Here(page.show_form(&session, "register", "Create an account", WithForm { form }))
}

#[post("/register", data = "<form>")]
async fn submit(
    form: Protected<NewAccount>,
    session: Session<'_>,
    page: Page<'_>,
    browser: Browser,
    audit: Audit,
    accounts: &State<Accounts>,
    from: Address,
) -> Answer {
    let NewAccount { username, password, next } = form.into_inner();
    let username_error = names::problem(&username);
    let password_error = passwords::problem(&password, &username);
    let show = |form: FormState| {
        let form = FormState { next: checked(next.as_deref()), ..form };
        page.show_form(&session, "register", "Error: Create an account", WithForm { form })
    };
    let again = |username_error, password_error, username| {
        let form = FormState { username, username_error, password_error, ..FormState::default() };
        Answer::Again((Status::UnprocessableEntity, show(form)))
    };
    if username_error.is_some() || password_error.is_some() {
        return again(username_error, password_error, username);
    }
    match accounts.register(from, &username, password).await {
        Ok(Registration::New(proven)) => {
            audit.done("registered", &proven.account);
            sign_in(session, proven, false, browser, Flash::Registered);
            Answer::Done(onward(&page, next.as_deref()))
        }
        Ok(Registration::Known(proven)) => {
            sign_in(session, proven, false, browser, Flash::SignedIn);
            Answer::Done(onward(&page, next.as_deref()))
        }
        Ok(Registration::NameTaken) => again(Some("That username is taken. Choose another."), None, username),
        Ok(Registration::TooOften(wait)) => {
            Answer::later(&audit, "registration_refused", None, wait, |error| {
                show(FormState { username, error: Some(error), ..FormState::default() })
            })
        }
        Err(error) => fault(&audit, &error),
    }
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}

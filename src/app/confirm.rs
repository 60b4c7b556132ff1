//! `GET|POST …/confirm`: the password again, before a sensitive change (ASVS 5.0, 7.5.1), and back to what was asked.

use std::borrow::Cow;

use rocket::form::FromForm;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::context;

use super::account_changes::Proof;
use super::accounts::Accounts;
use super::audit::Audit;
use super::csrf::Protected;
use super::flash::Flash;
use super::login::{Answer, checked, fault, onward};
use super::next::Next;
use super::page::{Html, Page};
use super::sender::Sender;
use super::throttle::Address;
use super::user::User;
use super::visitor::Session;

/// What is logged where the password is wrong.
const REFUSED: &str = "confirmation_refused";

#[derive(FromForm)]
struct Confirmation {
    #[field(default = String::new())]
    username: String,
    password: String,
    next: Option<String>,
}

#[get("/confirm?<next>")]
fn form(user: User<'_>, page: Page<'_>, next: Option<&str>) -> Html {
    show(user.session, &page, next, None)
}

#[post("/confirm", data = "<form>")]
async fn submit(
    form: Protected<Confirmation>,
    sender: Sender<'_>,
    page: Page<'_>,
    audit: Audit,
    accounts: &State<Accounts>,
    from: Address,
) -> Answer {
    let Confirmation { username, password, next } = form.into_inner();
    let User { session, account } = match sender {
        Sender::User(user) => user,
        Sender::Former(former) => {
            return former.sign_in(&username, password, Flash::SignedIn, next.as_deref()).await;
        }
    };
    match accounts.prove(from, &account, password).await {
        Ok(Proof::Right(_)) => {
            session.reauthenticated();
            Answer::Done(onward(&page, next.as_deref()))
        }
        Ok(Proof::Wrong) => {
            audit.wrong_password(REFUSED, &account);
            let html = show(session, &page, next.as_deref(), Some("That is not your password.".into()));
            Answer::Again((Status::UnprocessableEntity, html))
        }
        Ok(Proof::TooOften(wait)) => {
            let show = |error| show(session, &page, next.as_deref(), Some(error));
            Answer::later(&audit, REFUSED, Some(&account), wait, show)
        }
        Err(error) => fault(&audit, &error),
    }
}

fn show(session: Session<'_>, page: &Page<'_>, next: Option<&str>, error: Option<Cow<'static, str>>) -> Html {
    let title = if error.is_some() { "Error: Is that still you?" } else { "Is that still you?" };
    page.show_form(&session, "confirm", title, context! { next: checked(next), error })
}

/// The address of this page in a realm, with the page to return to.
pub(super) fn uri(realm: &str, next: Option<Next>) -> String {
    let next = next.map(Next::into_string);
    format!("{realm}{}", rocket::uri!(form(next = next.as_deref())))
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}

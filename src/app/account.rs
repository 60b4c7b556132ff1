//! `GET|POST …/account/delete`: the end of an account, and of its sessions (ASVS 5.0, 7.4.2).

use rocket::http::{Header, Status};
use rocket::response::Redirect;
use rocket::{Responder, Route, State, get, post, routes};
use rocket_dyn_templates::context;

use super::accounts::Accounts;
use super::audit::Audit;
use super::csrf::{Nothing, Protected};
use super::elsewhere::end_others;
use super::flash::Flash;
use super::login::{self, fault};
use super::page::{Html, Page};
use super::user::{Recent, User};

#[derive(Responder)]
enum Answer {
    Deleted(Deleted),
    Refused(login::Answer),
}

/// Pages that the browser kept are forgotten.
#[derive(Responder)]
struct Deleted {
    redirect: Redirect,
    clear: Header<'static>,
}

#[get("/account/delete")]
fn form(user: Recent<'_>, page: Page<'_>) -> Html {
    let Recent(User { session, .. }) = user;
    page.show_form(&session, "delete", "Delete your account", context! {})
}

#[post("/account/delete", data = "<_form>")]
async fn submit(
    _form: Protected<Nothing>,
    user: Recent<'_>,
    page: Page<'_>,
    audit: Audit,
    accounts: &State<Accounts>,
) -> Answer {
    let Recent(User { session, account }) = user;
    // Before the deletion, so that a store that does not answer refuses it; and after it, since somebody may have
    // signed in meanwhile.
    if end_others(&page, session, &account, &audit).await.is_err() {
        return Answer::Refused(login::Answer::Fault(Status::ServiceUnavailable));
    }
    if let Err(error) = accounts.delete(&account).await {
        return Answer::Refused(fault(&audit, &error));
    }
    audit.done("account_deleted", &account);
    if end_others(&page, session, &account, &audit).await.is_err() {
        audit.sessions_left(&account);
    }
    session.destroy();
    session.update(|visitor| visitor.flash = Some(Flash::AccountDeleted));
    Answer::Deleted(Deleted {
        redirect: Redirect::to(login::uri(page.realm(), None, None)),
        clear: Header::new("Clear-Site-Data", "\"cache\""),
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}

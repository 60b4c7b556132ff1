//! Signing out: by POST with a token, from every page of a signed-in user.

use rocket::http::{CookieJar, Header};
use rocket::response::Redirect;
use rocket::{Responder, Route, post, routes};
use sealed_sessions::Powers;

use super::copies;
use super::csrf::{Nothing, Protected};
use super::page::Page;
use super::visitor::Session;

/// Pages that the browser kept are forgotten. Not `"cookies"`: that would end every realm's session.
#[derive(Responder)]
struct SignedOut {
    redirect: Redirect,
    clear: Header<'static>,
}

#[post("/logout", data = "<_form>")]
fn submit(
    _form: Protected<Nothing>,
    session: Session<'_>,
    page: Page<'_>,
    cookies: &CookieJar<'_>,
) -> SignedOut {
    if let Some(account) = &session.get().user {
        log::info!("account {} signed out", account.id);
        if page.powers() == Powers::Nothing
            && let Some(expires) = session.expires()
        {
            copies::tell(cookies, page.realm(), expires);
        }
    }
    session.destroy();
    SignedOut { redirect: page.see_other(""), clear: Header::new("Clear-Site-Data", "\"cache\"") }
}

pub(super) fn routes() -> Vec<Route> {
    routes![submit]
}

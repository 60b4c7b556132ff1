//! Signing out: by POST with a token, from every page of a signed-in user.

use rocket::data::{Data, FromData, Outcome};
use rocket::http::{CookieJar, Header, Status};
use rocket::outcome::try_outcome;
use rocket::request::Request;
use rocket::response::Redirect;
use rocket::{Responder, Route, post, routes};
use sealed_sessions::{Arrival, Powers};

use super::copies;
use super::csrf::{Nothing, Protected, Refusal};
use super::page::Page;
use super::visitor::Session;

#[derive(Responder)]
enum SignedOut {
    Now(Ended),
    Already(Redirect),
}

/// Pages that the browser kept are forgotten. Not `"cookies"`: that would end every realm's session.
#[derive(Responder)]
struct Ended {
    redirect: Redirect,
    clear: Header<'static>,
}

/// A request to sign out that may be followed: one with its session's token, or one without a session to end. The
/// second kind is the button of an old tab, say, and changes nothing: it needs no token.
enum SignOut {
    Session,
    NoSession,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for SignOut {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let session = match request.guard::<Session<'r>>().await.succeeded() {
            Some(session) => session,
            None => return Outcome::Error((Status::ServiceUnavailable, ())),
        };
        // That no other site has sent it can be told without a token.
        let is_own = session.verify(request, None) != Err(Refusal::CrossSite);
        if is_own && has_ended(session.arrival()) {
            return Outcome::Success(SignOut::NoSession);
        }
        try_outcome!(Protected::<Nothing>::from_data(request, data).await);
        Outcome::Success(SignOut::Session)
    }
}

/// Whether the browser has no session. One whose cookie is superseded has: a sign-in has just renewed it.
fn has_ended(arrival: Arrival) -> bool {
    matches!(arrival, Arrival::Absent | Arrival::Expired(_) | Arrival::Revoked | Arrival::Invalid(_))
}

#[post("/logout", data = "<asked>")]
fn submit(asked: SignOut, session: Session<'_>, page: Page<'_>, cookies: &CookieJar<'_>) -> SignedOut {
    let redirect = page.see_other("/signed-out");
    match asked {
        SignOut::NoSession => SignedOut::Already(redirect),
        SignOut::Session => {
            if session.get().user.is_some()
                && page.powers() == Powers::Nothing
                && let Some(expires) = session.expires()
            {
                copies::tell(cookies, page.realm(), expires);
            }
            session.destroy();
            SignedOut::Now(Ended { redirect, clear: Header::new("Clear-Site-Data", "\"cache\"") })
        }
    }
}

pub(super) fn routes() -> Vec<Route> {
    routes![submit]
}

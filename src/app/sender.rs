//! Who sends a form with their password. Their session may have ended a moment ago, because the same form was sent before
//! and its answer did not arrive (two clicks, or a lost connection). Then the password says who it is.

use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::{Ignite, Rocket, Sentinel, State};
use sealed_sessions::Arrival;

use super::accounts::{Accounts, Verified};
use super::audit::Audit;
use super::browser::Browser;
use super::flash::Flash;
use super::login::{self, Answer, fault, onward};
use super::next::Next;
use super::page::Page;
use super::standing::{Standing, standing};
use super::throttle::Address;
use super::user::User;
use super::visitor::{Session, sign_in};

/// The sender of a form with a password.
pub(super) enum Sender<'r> {
    User(User<'r>),
    Former(Former<'r>),
}

/// The browser of someone whose session was renewed within the grace, or whose account has another password since.
pub(super) struct Former<'r> {
    session: Session<'r>,
    page: Page<'r>,
    browser: Browser,
    audit: Audit,
    accounts: &'r State<Accounts>,
    from: Address,
}

impl Former<'_> {
    /// Signs them in, where `next` leads on and `flash` is told, if that is their password: as if the first answer had
    /// arrived. Otherwise leads to the form to sign in.
    pub(super) async fn sign_in(
        self,
        username: &str,
        password: String,
        flash: Flash,
        next: Option<&str>,
    ) -> Answer {
        let Former { session, page, browser, audit, accounts, from } = self;
        match accounts.verify(from, username, password).await {
            Ok(Verified::Right(proven)) => {
                sign_in(session, proven, false, browser, flash);
                return Answer::Done(onward(&page, next));
            }
            Ok(Verified::TooOften(wait)) => audit.too_often(REFUSED, None, wait),
            Ok(refused) => audit.sign_in_refused(&refused, username),
            Err(error) => return fault(&audit, &error),
        }
        let next = next.and_then(Next::checked);
        Answer::Done(Redirect::to(login::uri(page.realm(), next, page.ended())))
    }
}

const REFUSED: &str = "sign_in_refused";

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Sender<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Sender<'r>, ()> {
        let unavailable = |_| (Status::ServiceUnavailable, ());
        let session = try_outcome!(request.guard::<Session<'r>>().await.map_error(unavailable));
        if session.arrival() != Arrival::Superseded && standing(request).await != Standing::Over {
            return request.guard::<User<'r>>().await.map(Sender::User);
        }
        Outcome::Success(Sender::Former(Former {
            session,
            page: try_outcome!(request.guard().await.map_error(unavailable)),
            browser: Browser::of(request),
            audit: Audit::of(request),
            accounts: try_outcome!(request.guard().await),
            from: Address::of_client(request),
        }))
    }
}

impl Sentinel for Sender<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Session::abort(rocket)
    }
}

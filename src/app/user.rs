//! Who is behind a request: the guards of pages for signed-in users.

use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use time::Duration;

use super::accounts::Account;
use super::now::clock;
use super::standing::{Standing, standing};
use super::visitor::Session;

/// For how long a proof of identity is enough for a sensitive change.
pub(super) const RECENT: Duration = Duration::minutes(10);

/// Proof that the request comes from a signed-in user.
pub(super) struct User<'r> {
    pub(super) session: Session<'r>,
    pub(super) account: Account,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<User<'r>, ()> {
        let session =
            try_outcome!(request.guard::<Session<'r>>().await.map_error(|(status, _)| (status, ())));
        match (standing(request).await, session.get().user.clone()) {
            (Standing::Good { .. }, Some(account)) => Outcome::Success(User { session, account }),
            (Standing::Unknown, _) => Outcome::Error((Status::ServiceUnavailable, ())),
            _ => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

impl Sentinel for User<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Session::abort(rocket)
    }
}

/// Proof that the request comes from a signed-in user who gave their password within the last ten minutes (ASVS 5.0,
/// 7.5.1): whoever finds a browser signed in, or has a copy of its cookie, gets no further. Anyone else is sent to the
/// page that asks for the password, and comes back.
pub(super) struct Recent<'r>(pub(super) User<'r>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Recent<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Recent<'r>, ()> {
        let user = try_outcome!(request.guard::<User<'r>>().await);
        let now = clock(request).now();
        match user.session.signed_in_at() {
            Some(proven) if now - proven <= RECENT => Outcome::Success(Recent(user)),
            _ => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

impl Sentinel for Recent<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Session::abort(rocket)
    }
}

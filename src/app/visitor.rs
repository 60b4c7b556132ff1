//! What the app keeps in a session, and who is behind it.

use std::borrow::Cow;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use sealed_sessions::SessionData;
use serde::{Deserialize, Serialize};

use super::accounts::Account;

/// The session's data. Fields that hold their default are omitted, so that the cookie stays small.
#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Visitor {
    /// How often this browser has visited the counting page.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub visits: u64,
    /// The account that is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Account>,
    /// A text from the cookie's page, to see the session grow.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_ref().map(|account| Cow::Owned(account.id.to_string()))
    }
}

/// The session of the realm.
pub(super) type Session<'r> = sealed_sessions::Session<'r, Visitor>;

/// The same, read without using it.
pub(super) type ReadOnly<'r> = sealed_sessions::ReadOnly<'r, Visitor>;

/// Makes this session the account's: a new id against fixation, new form tokens, the visits kept.
pub(super) fn sign_in(session: Session<'_>, account: Account, remember: bool) {
    session.sign_in(|visitor| visitor.user = Some(account));
    if remember {
        session.remember();
    }
}

/// Proof that the request comes from a signed-in user.
pub(super) struct User<'r> {
    pub(super) session: Session<'r>,
    pub(super) account: Account,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<User<'r>, ()> {
        match request.guard::<Session<'r>>().await {
            Outcome::Success(session) => match session.get().user.clone() {
                Some(account) => Outcome::Success(User { session, account }),
                None => Outcome::Error((Status::Unauthorized, ())),
            },
            Outcome::Error((status, _)) => Outcome::Error((status, ())),
            Outcome::Forward(status) => Outcome::Forward(status),
        }
    }
}

impl Sentinel for User<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Session::abort(rocket)
    }
}

//! Forms and their tokens: the library refuses what comes from elsewhere (ASVS 5.0, 3.5.1), and this says what the
//! pages need to know of it.

use rocket::Request;
use rocket::form::{Form, FromForm};
use rocket::http::RawStr;
use sealed_sessions::Arrival;
use sealed_sessions::forms::refused;

use super::visitor::Session;

pub(super) use sealed_sessions::forms::{Protected, Refusal};

/// A token for a form of this page; `None` for a request that another site made, where none would work.
pub(super) fn token(session: &Session<'_>) -> Option<String> {
    (session.arrival() != Arrival::Withheld).then(|| session.form_token())
}

/// The refusal of this request, if it was refused.
pub(super) fn refusal(request: &Request<'_>) -> Option<Refusal> {
    refused(request).map(|refused| refused.reason)
}

/// What was typed into a form that was refused, except the password: the error page offers the form again.
pub(super) fn typed(request: &Request<'_>) -> Typed {
    let body = refused(request).map(|refused| RawStr::new(refused.body()));
    body.and_then(|body| Form::<Typed>::parse_encoded(body).ok()).unwrap_or_default()
}

#[derive(Default, FromForm)]
pub(super) struct Typed {
    #[field(default = String::new())]
    pub(super) username: String,
    #[field(default = false)]
    pub(super) remember: bool,
    pub(super) next: Option<String>,
    /// Whether the form was shown again because it was refused.
    #[field(default = false)]
    pub(super) again: bool,
}

/// A form with no field but its token, which is checked before this is read.
#[derive(FromForm)]
pub(super) struct Nothing {
    #[field(name = "csrf_token")]
    _token: String,
}

//! A form that came with its session's token.

use std::borrow::Cow;
use std::fmt;

use rocket::data::{Data, FromData, Limits, Outcome};
use rocket::form::{Form, FromForm};
use rocket::http::{RawStr, Status};
use rocket::request::Request;
use rocket::{Ignite, Rocket, Sentinel};

use super::refusal::{Refusal, refuse};
use crate::engine::Engine;
use crate::error::{Arrival, SessionError};
use crate::events::{About, Kind, Name, RequestId};
use crate::origin::Site;

/// The field of a form that carries the token.
pub const FIELD: &str = "csrf_token";

/// A form that came from a page of its own session. Problems are reported in this order: 403 for another site's
/// form, or one without the session's token, even if other fields are wrong too; 422 for a missing or wrong
/// field. A body of another content type is 415, one above the limit `form` 413.
///
/// Outside every realm the form belongs to the session of [`Sessions::default_realm`](crate::Sessions::default_realm);
/// without that setting it is a 500.
pub struct Protected<F>(F);

impl<F> Protected<F> {
    /// The form.
    pub fn into_inner(self) -> F {
        self.0
    }
}

impl<F> fmt::Debug for Protected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protected(..)")
    }
}

#[derive(FromForm)]
struct Token {
    csrf_token: Option<String>,
}

#[rocket::async_trait]
impl<'r, F: for<'f> FromForm<'f> + 'static> FromData<'r> for Protected<F> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        match read(request, data).await {
            Ok(form) => Outcome::Success(Protected(form)),
            Err(status) => Outcome::Error((status, ())),
        }
    }
}

impl<F> Sentinel for Protected<F> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let is_missing = rocket.state::<Engine>().is_none();
        if is_missing {
            log::error!("a route takes Protected<_>, but Sessions::<_>::fairing() is not attached");
        }
        is_missing
    }
}

async fn read<'r, F>(request: &'r Request<'_>, data: Data<'r>) -> Result<F, Status>
where
    F: for<'f> FromForm<'f> + 'static,
{
    let engine = request.rocket().state::<Engine>().ok_or(Status::InternalServerError)?;
    let session = engine.form_session(request).await.map_err(|error| match error {
        SessionError::Unavailable => Status::ServiceUnavailable,
        _ => Status::InternalServerError,
    })?;
    let refused = |reason, body: &str| {
        if !session.realm.teller.logs() {
            log::warn!("refused {} {}: {reason:?}", request.method(), request.uri().path());
        }
        if session.realm.teller.is_heard() {
            let (name, request) = (session.id.as_ref().map(Name::Id), Some(RequestId::of(request)));
            let about = About { session: name, request, ..About::default() };
            session.realm.teller.tell(Kind::FormRefused(reason), about);
        }
        refuse(request, reason, body.to_owned());
        Status::Forbidden
    };
    if matches!(Site::of(request, &session.realm.origins), Site::Sibling | Site::Other) {
        return Err(refused(Refusal::CrossSite, ""));
    }
    let is_form = request.content_type().is_some_and(|kind| kind.is_form());
    if !is_form && request.headers().contains("Content-Type") {
        return Err(Status::UnsupportedMediaType);
    }
    let limit = request.limits().get("form").unwrap_or(Limits::FORM);
    let body = match data.open(limit).into_bytes().await {
        Ok(body) if body.is_complete() => body.into_inner(),
        Ok(_) => return Err(Status::PayloadTooLarge),
        Err(_) => return Err(Status::BadRequest),
    };
    let text = String::from_utf8_lossy(&body);
    let raw = RawStr::new(text.as_ref());
    let token = Form::<Token>::parse_encoded(raw).ok().and_then(|form: Token| form.csrf_token);
    if !is_form || !token.is_some_and(|token| session.owns(&token)) {
        let brought_none = matches!(session.arrival, Arrival::Absent | Arrival::Withheld);
        return Err(refused(if brought_none { Refusal::NoCookie } else { Refusal::Token }, &text));
    }
    // Read with replacement characters, two passwords could be the same.
    if matches!(text, Cow::Owned(_)) || raw.percent_decode().is_err() {
        return Err(Status::UnprocessableEntity);
    }
    Form::<F>::parse_encoded(raw).map_err(|_| Status::UnprocessableEntity)
}

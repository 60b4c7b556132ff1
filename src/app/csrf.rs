//! Cross-site request forgery: every form carries its session's token, and every POST is refused
//! without it before anything else of the form is read (ASVS 5.0, 3.5.1).

use std::borrow::Cow;

use rocket::data::{Data, FromData, Limits, Outcome};
use rocket::form::{Form, FromForm};
use rocket::http::{RawStr, Status};
use rocket::request::{self, Request};
use sealed_sessions::{Arrival, Realms, SessionError};

use super::csrf_secret::Secret;
use super::settings::Settings;
use super::visitor::{Session, Visitor};

/// A token for a form of this page; `None` only if the operating system has no random bits.
pub(super) fn token(session: &Session<'_>) -> Option<String> {
    let secret = match session.get().csrf.clone() {
        Some(secret) => secret,
        None => {
            let secret = Secret::random()?;
            session.update(|visitor| visitor.csrf = Some(secret.clone()));
            secret
        }
    };
    secret.masked()
}

/// A form that came with its session's token. Without the token it is 403, even if other fields are wrong
/// too; with it, a missing field is 422. A body of another content type is 415, one above the limit 413.
pub(super) struct Protected<F>(pub(super) F);

/// Why a POST was refused, for the page that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another site sent it.
    CrossSite,
    /// The browser sent no cookie of this realm, so no token can be its own: it keeps no cookies, or the
    /// session ended while the page was open.
    NoCookie,
    /// The token is missing, or another session's: the page was older than the login, for example.
    Token,
}

/// The refusal of this request, if it was refused.
pub(super) fn refusal(request: &Request<'_>) -> Option<Refusal> {
    *request.local_cache(|| None)
}

/// What was typed into a form that was refused for its token, except the password: the error page offers
/// the form again.
pub(super) fn typed<'r>(request: &'r Request<'_>) -> &'r Typed {
    request.local_cache(Default::default)
}

#[derive(Default, FromForm)]
pub(super) struct Typed {
    #[field(default = String::new())]
    pub(super) username: String,
    #[field(default = false)]
    pub(super) remember: bool,
    pub(super) next: Option<String>,
}

#[derive(FromForm)]
struct Token {
    csrf_token: Option<String>,
}

#[rocket::async_trait]
impl<'r, F: for<'f> FromForm<'f> + 'static> FromData<'r> for Protected<F> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let session = match session_of(request).await {
            Ok(session) => session,
            Err(status) => return Outcome::Error((status, ())),
        };
        if from_another_site(request) {
            return refuse(request, Refusal::CrossSite);
        }
        let is_form = request.content_type().is_some_and(|kind| kind.is_form());
        if !is_form && request.headers().contains("Content-Type") {
            return Outcome::Error((Status::UnsupportedMediaType, ()));
        }
        let limit = request.limits().get("form").unwrap_or(Limits::FORM);
        let body = match data.open(limit).into_bytes().await {
            Ok(body) if body.is_complete() => body.into_inner(),
            Ok(_) => return Outcome::Error((Status::PayloadTooLarge, ())),
            Err(_) => return Outcome::Error((Status::BadRequest, ())),
        };
        let text = String::from_utf8_lossy(&body);
        let raw = RawStr::new(text.as_ref());
        let token = Form::<Token>::parse_encoded(raw).ok().and_then(|form: Token| form.csrf_token);
        match (token, &session.get().csrf) {
            (Some(token), Some(secret)) if is_form && secret.matches(&token) => {}
            _ => {
                request.local_cache(|| Form::<Typed>::parse_encoded(raw).unwrap_or_default());
                let brought_none = session.arrival() == Arrival::Absent;
                return refuse(request, if brought_none { Refusal::NoCookie } else { Refusal::Token });
            }
        }
        // Read with replacement characters, two passwords could be the same.
        if matches!(text, Cow::Owned(_)) || raw.percent_decode().is_err() {
            return Outcome::Error((Status::UnprocessableEntity, ()));
        }
        match Form::<F>::parse_encoded(raw) {
            Ok(form) => Outcome::Success(Protected(form)),
            Err(_) => Outcome::Error((Status::UnprocessableEntity, ())),
        }
    }
}

/// The session whose token the request's form carries: that of its realm, or of the default realm where
/// the path lies in none.
async fn session_of<'r>(request: &'r Request<'_>) -> Result<Session<'r>, Status> {
    let realms = match request.guard::<Realms<'r, Visitor>>().await {
        request::Outcome::Success(realms) => realms,
        request::Outcome::Error((status, _)) | request::Outcome::Forward(status) => return Err(status),
    };
    let default = request.rocket().state::<Settings>().map_or("", |settings| &settings.default_realm);
    match realms.session(realms.here().unwrap_or(default)).await {
        Ok(session) => Ok(session),
        Err(SessionError::Unavailable) => Err(Status::ServiceUnavailable),
        Err(_) => Err(Status::InternalServerError),
    }
}

/// A form with no field but its token, which is checked before this is read.
#[derive(FromForm)]
pub(super) struct Nothing {
    #[field(name = "csrf_token")]
    _token: String,
}

fn refuse<'r, F>(request: &'r Request<'_>, reason: Refusal) -> Outcome<'r, Protected<F>>
where
    F: for<'f> FromForm<'f> + 'static,
{
    request.local_cache(|| Some(reason));
    log::warn!("refused {} {}: {reason:?}", request.method(), request.uri().path());
    Outcome::Error((Status::Forbidden, ()))
}

/// Whether the browser says that another site sent the request: by Sec-Fetch-Site, or else by Origin,
/// which must match this request exactly. Today's browsers send one of them; for a client that sends
/// neither, the token alone decides.
fn from_another_site(request: &Request<'_>) -> bool {
    let mut sites = request.headers().get("Sec-Fetch-Site").peekable();
    if sites.peek().is_some() {
        return !sites.all(|site| site == "same-origin" || site == "none");
    }
    let tls = request.rocket().config().tls_enabled();
    let host = request.host().map(ToString::to_string);
    !request.headers().get("Origin").all(|origin| is_own(origin, host.as_deref(), tls))
}

/// Whether `origin` is this site. Without TLS of its own the app cannot know whether a proxy has it, so
/// both schemes are accepted; a header that claims it could come from anyone.
fn is_own(origin: &str, host: Option<&str>, tls: bool) -> bool {
    match origin.split_once("://") {
        Some(("https", authority)) => host == Some(authority),
        Some(("http", authority)) => !tls && host == Some(authority),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn x2_an_origin_is_compared_whole() {
        let host = Some("app.example:8000");
        for (origin, behind_a_proxy, with_tls) in [
            ("https://app.example:8000", true, true),
            ("http://app.example:8000", true, false),
            ("ftp://app.example:8000", false, false),
            ("https://app.example", false, false),
            ("https://app.example:8000/", false, false),
            ("https://user@app.example:8000", false, false),
            ("https://evil.app.example:8000", false, false),
            ("app.example:8000", false, false),
            ("null", false, false),
            ("", false, false),
        ] {
            assert_eq!(is_own(origin, host, false), behind_a_proxy, "{origin}");
            assert_eq!(is_own(origin, host, true), with_tls, "{origin}");
            assert!(!is_own(origin, None, false), "{origin}");
        }
    }
}

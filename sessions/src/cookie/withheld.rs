//! Whether a browser may have kept its cookie back: a request that came without one is not always a visitor
//! without a session.

use rocket::Request;
use rocket::http::Method;

use super::settings::SameSite;
use crate::origin::Site;

/// Whether a browser that has the cookie would have withheld it from this request (RFC 6265bis, 5.8.3).
pub(super) fn is_withheld(
    request: &Request<'_>,
    same_site: SameSite,
    path: &str,
    origins: &[String],
) -> bool {
    if !covers(path, request.uri().path().as_str()) {
        return true;
    }
    let from_elsewhere = || Site::of(request, origins) == Site::Other;
    match same_site {
        SameSite::None => false,
        SameSite::Lax => from_elsewhere() && !is_top_level_navigation(request),
        SameSite::Strict => from_elsewhere(),
    }
}

/// Whether the browser sends a cookie of `path` there (RFC 6265, 5.1.4).
fn covers(path: &str, requested: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/') || path.ends_with('/');
    requested.strip_prefix(path).is_some_and(below)
}

/// Whether the request is a link that was followed. Rocket turns the POST of a form with a field `_method` into
/// another method: what counts is the method on the wire.
fn is_top_level_navigation(request: &Request<'_>) -> bool {
    let was_post = request.content_type().is_some_and(|content| content.is_form() || content.is_form_data());
    let safe = matches!(request.method(), Method::Get | Method::Head) && !was_post;
    let is = |header, value| request.headers().get_one(header) == Some(value);
    safe && is("Sec-Fetch-Mode", "navigate") && is("Sec-Fetch-Dest", "document")
}

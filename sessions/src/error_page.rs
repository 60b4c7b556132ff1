//! The app's own error page in place of a response whose session could not be kept.

use std::sync::OnceLock;

use rocket::http::{ContentType, Header, Status};
use rocket::{Catcher, Request, Response};

use crate::failure::Failure;

/// Headers that fairings set for the whole app. Everything else belongs to the response that is replaced: a
/// `Location`, say, or a `Clear-Site-Data`.
const KEPT: [&str; 10] = [
    "Server",
    "Content-Security-Policy",
    "Cross-Origin-Embedder-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
];

/// Why this request's response was replaced by an error page, for the catcher that makes the page.
pub fn failure(request: &Request<'_>) -> Option<Failure> {
    request.local_cache(OnceLock::<Failure>::new).get().copied()
}

/// Replaces `response` with the page of the app's catcher.
pub(crate) async fn replace<'r>(request: &'r Request<'_>, response: &mut Response<'r>, failure: Failure) {
    let _ = request.local_cache(OnceLock::<Failure>::new).set(failure);
    let status = failure.status();
    let mut page = match catcher(request, status) {
        Some(catcher) => catcher.handler.handle(status, request).await.unwrap_or_else(plain),
        None => plain(status),
    };
    for name in KEPT {
        if let (false, Some(value)) = (page.headers().contains(name), response.headers().get_one(name)) {
            page.set_header(Header::new(name, value.to_owned()));
        }
    }
    *response = page;
}

/// The catcher that Rocket itself would call: the one with the longest base, and of two such the one for
/// exactly this status.
fn catcher<'r>(request: &'r Request<'_>, status: Status) -> Option<&'r Catcher> {
    let path = request.uri().path();
    let fits = |catcher: &&Catcher| {
        catcher.code.is_none_or(|code| code == status.code)
            && catcher.base.path().segments().prefix_of(path.segments())
    };
    let rank = |catcher: &&Catcher| (catcher.base.path().segments().len(), catcher.code.is_some());
    request.rocket().catchers().filter(fits).max_by_key(rank)
}

fn plain<'r>(status: Status) -> Response<'r> {
    let text = format!("{} {}\n", status.code, status.reason_lossy());
    Response::build()
        .status(status)
        .header(ContentType::Plain)
        .sized_body(text.len(), std::io::Cursor::new(text))
        .finalize()
}

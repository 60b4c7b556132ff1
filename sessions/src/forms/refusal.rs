//! Why a form was refused.

use std::fmt;

use rocket::Request;

/// Why a form was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Another site sent it.
    CrossSite,
    /// The browser sent no cookie, so no token can be its own: it keeps no cookies, or the session ended while
    /// the page was open.
    NoCookie,
    /// The token is missing, or another session's: the page was older than the login, for example.
    Token,
}

/// A form that was refused, for the page that says so and offers it again.
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    body: String,
}

impl Refused {
    /// What the form held, as `application/x-www-form-urlencoded`. It may hold a password.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

/// The form of this request, if it was refused.
pub fn refused<'r>(request: &'r Request<'_>) -> Option<&'r Refused> {
    request.local_cache(|| None::<Refused>).as_ref()
}

/// Remembers a refusal for the request's error page.
pub(super) fn refuse(request: &Request<'_>, reason: Refusal, body: String) {
    request.local_cache(|| Some(Refused { reason, body }));
}

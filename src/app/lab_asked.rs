//! Who asks for a page of the lab. Another site may lead to it, but starts nothing: its image with this address would.

use std::convert::Infallible;

use rocket::request::{FromRequest, Outcome, Request};

/// Who asks, as far as the browser says (`Sec-Fetch-Site`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A page of this site, somebody who typed the address, or a client that does not say.
    ByVisitor,
    /// A page of another site or of another port of this host.
    ByAnotherSite,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Asked {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Asked, Infallible> {
        let is_own = |site: &str| matches!(site, "same-origin" | "none");
        let is_own = request.headers().get("Sec-Fetch-Site").all(is_own);
        Outcome::Success(if is_own { Asked::ByVisitor } else { Asked::ByAnotherSite })
    }
}

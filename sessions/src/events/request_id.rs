//! The name of a request in logs.

use std::convert::Infallible;
use std::fmt;

use rocket::request::{FromRequest, Outcome, Request};

/// A request's name in logs: 64 random bits, so that its lines can be found. Not a credential, and never taken from the
/// client.
///
/// As a guard it always succeeds, and every line of one request gets the same:
///
/// ```
/// use rocket::{get, routes};
/// use sealed_sessions::events::RequestId;
///
/// #[get("/")]
/// fn page(one: RequestId, same: RequestId) -> String {
///     assert_eq!(one, same);
///     one.to_string()
/// }
///
/// let browser = rocket::local::blocking::Client::untracked(rocket::build().mount("/", routes![page])).unwrap();
/// assert_eq!(browser.get("/").dispatch().into_string().unwrap().len(), 16);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// The request's name, the same whenever it is asked for.
    pub fn of(request: &Request<'_>) -> RequestId {
        // Without random bits a request shares its name with others, which is no reason to fail.
        *request.local_cache(|| RequestId(getrandom::u64().unwrap_or_default()))
    }
}

/// 16 digits of 0-9 and a-f.
impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RequestId {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<RequestId, Infallible> {
        Outcome::Success(RequestId::of(request))
    }
}

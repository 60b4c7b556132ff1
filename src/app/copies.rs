//! Until when a copy of the cookie opens, for the page after a sign-out that ends no copies.
//!
//! The session is gone by then, so the times go along in a sealed cookie of their own, for ten minutes.

use rocket::http::{Cookie, CookieJar, SameSite};
use sealed_sessions::Expires;
use time::{Duration, OffsetDateTime};

const COOKIE: &str = "__Host-Http-signed-out";

/// Has the realm's page for those who have signed out say it.
pub(super) fn tell(cookies: &CookieJar<'_>, realm: &str, expires: Expires) {
    let text = format!("{} {} {realm}", expires.idle.unix_timestamp(), expires.absolute.unix_timestamp());
    let cookie = Cookie::build((COOKIE, text)).path("/").secure(true).http_only(true);
    cookies.add_private(cookie.same_site(SameSite::Lax).max_age(Duration::minutes(10)));
}

/// Until when a copy opens of the session that this browser has just signed out of: if nobody uses it, and in any case.
pub(super) fn told(cookies: &CookieJar<'_>, realm: &str) -> Option<Expires> {
    let cookie = cookies.get_private(COOKIE)?;
    let mut words = cookie.value().splitn(3, ' ');
    let mut moment = || OffsetDateTime::from_unix_timestamp(words.next()?.parse().ok()?).ok();
    let (idle, absolute) = (moment()?, moment()?);
    (words.next() == Some(realm)).then_some(Expires { idle, absolute })
}

//! `GET …/signed-out`: where signing out leads. It has no form, opens no session and sets no cookie.

use std::net::IpAddr;

use rocket::http::CookieJar;
use rocket::http::uri::Host;
use rocket::{Config, Route, get, routes};
use rocket_dyn_templates::context;
use serde_json::json;

use super::copies;
use super::page::{PlainPage, Shown};
use super::visitor::ReadOnly;

/// Somebody who is signed in, again or still, is led to the profile: the page would not tell the truth.
#[get("/signed-out")]
fn signed_out(
    page: PlainPage<'_>,
    session: Option<ReadOnly<'_>>,
    cookies: &CookieJar<'_>,
    host: Option<&Host<'_>>,
    config: &Config,
) -> Shown {
    let PlainPage(page) = page;
    if session.is_some_and(|session| session.get().user.is_some()) {
        return Shown::Elsewhere(page.see_other("/profile"));
    }
    let copy = copies::told(cookies, page.realm());
    let details = session.map(|session| session.inspect());
    let is_secure = details.as_ref().is_none_or(|details| details.is_secure());
    let own = context! {
        cookie: details.map(|details| details.cookie_name()),
        origin: host.map(|host| format!("{}://{host}", scheme(host, is_secure, config.tls_enabled()))),
        copy: copy.map(|expires| json!({ "idle": page.when(expires.idle), "absolute": page.when(expires.absolute) })),
    };
    Shown::Here(page.show("signed-out", "Signed out", own))
}

/// How a copy of the cookie may be sent to this host. The app cannot see whether a proxy in front of it has TLS; but a
/// browser that has a `Secure` cookie of another machine got it over TLS.
fn scheme(host: &Host<'_>, is_secure: bool, has_tls: bool) -> &'static str {
    if has_tls || (is_secure && !is_loopback(host.domain().as_str())) { "https" } else { "http" }
}

/// Whether a name is of the machine that the browser runs on.
fn is_loopback(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let address = domain.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    domain == "localhost"
        || domain.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

pub(super) fn routes() -> Vec<Route> {
    routes![signed_out]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_over_tls_unless_it_stays_on_its_machine_or_may_go_without() {
        for (host, is_secure, has_tls, expected) in [
            ("sessions.example", true, false, "https"),
            ("sessions.example:8443", true, false, "https"),
            ("192.168.1.2:8000", true, false, "https"),
            ("localhost.example", true, false, "https"),
            ("sessions.example", false, false, "http"),
            ("localhost:8000", true, false, "http"),
            ("LOCALHOST", true, false, "http"),
            ("a.localhost:8000", true, false, "http"),
            ("127.0.0.2:8000", true, false, "http"),
            ("[::1]:8000", true, false, "http"),
            ("localhost:8000", true, true, "https"),
            ("sessions.example", false, true, "https"),
        ] {
            let parsed = Host::parse(host).unwrap();
            assert_eq!(scheme(&parsed, is_secure, has_tls), expected, "{host} {is_secure} {has_tls}");
        }
    }
}

//! Which site a request comes from, as the browser says.

use rocket::Request;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// This very origin, or no page at all: a bookmark, an address that was typed.
    Own,
    /// Another origin of the same site, such as a sibling subdomain.
    Sibling,
    /// Another site.
    Other,
    /// The browser does not say.
    Unknown,
}

impl Site {
    /// By `Sec-Fetch-Site`, or else by `Origin`. Today's browsers send one of them with a form. `origins` are
    /// accepted beside the request's own, for a proxy that changes `Host`.
    pub(crate) fn of(request: &Request<'_>, origins: &[String]) -> Site {
        let mut fetched = request.headers().get("Sec-Fetch-Site").map(|site| match site {
            "same-origin" | "none" => Site::Own,
            "same-site" => Site::Sibling,
            _ => Site::Other,
        });
        if let Some(first) = fetched.next() {
            return fetched.fold(first, |one, other| if one == Site::Own { other } else { one });
        }
        let tls = request.rocket().config().tls_enabled();
        // HTTP/2 has no such header: there the host is part of the address.
        let host = request.headers().get_one("Host").map(str::to_owned);
        let host = host.or_else(|| request.host().map(ToString::to_string));
        let mut sent = request.headers().get("Origin").peekable();
        let own = |origin| {
            is_own(origin, host.as_deref(), tls) || origins.iter().any(|own| own.eq_ignore_ascii_case(origin))
        };
        if sent.peek().is_none() {
            Site::Unknown
        } else if sent.all(own) {
            Site::Own
        } else {
            Site::Other
        }
    }
}

/// Whether `origin` is this app. An app without TLS cannot know whether a proxy has it, so both schemes are
/// accepted; a header that claims it could come from anyone. Host names are compared without regard to case.
fn is_own(origin: &str, host: Option<&str>, tls: bool) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let accepted = scheme == "https" || (scheme == "http" && !tls);
    accepted && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn x2_an_origin_is_compared_whole() {
        let host = Some("app.example:8000");
        for (origin, behind_a_proxy, with_tls) in [
            ("https://app.example:8000", true, true),
            ("https://APP.example:8000", true, true),
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

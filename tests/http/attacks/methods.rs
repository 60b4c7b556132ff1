//! Methods that no page has: none does anything.

use world::form;

use super::site::Site;
use crate::routes::{REALMS, paths};

const METHODS: [&str; 20] = [
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "TRACK",
    "OPTIONS",
    "CONNECT",
    "PROPFIND",
    "MKCOL",
    "MOVE",
    "SEARCH",
    "DEBUG",
    "get",
    "Post",
    "gET",
    "X",
    "GET\0",
    "POST\u{e9}",
    "P OST",
    "",
];

#[test]
fn x3_no_other_method_does_what_a_page_does() {
    let site = Site::open();
    let mut all = paths(&site.server, "GET");
    all.extend(paths(&site.server, "POST"));
    all.dedup();
    let cookie = format!("Cookie: {}\r\nX-Secret: that-of-a-header\r\n", site.mallory.pair());
    for path in all {
        for method in METHODS {
            let what = format!("{method:?} {path}");
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}\r\n");
            let answer = site.server.bytes(request.as_bytes());
            if let Some(answer) = &answer {
                assert!(answer.status >= 400, "{what}: {}", answer.status);
                assert!(!answer.body.contains("that-of-a-header"), "{what} echoes the request");
                assert_eq!(answer.all("set-cookie").count(), 0, "{what}");
            }
            site.judge(&what, Some("mallory"), answer.as_ref());
        }
    }
    site.close();
}

#[test]
fn x1_a_method_in_a_form_or_a_header_lets_nothing_past_the_token() {
    let site = Site::open();
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
    let mut at = 0;
    for path in paths(&site.server, "POST") {
        for method in ["get", "GET", "put", "delete", "trace", "post", "x", ""] {
            let body = form(&[("_method", method), ("username", "alice"), ("password", "wrong")]);
            at += 1;
            let header = (overrides[at % overrides.len()], method);
            let what = format!("{path} as {method:?} by {}", header.0);
            let mut jar = site.mallory.clone();
            let answer = site.server.send(&mut jar, "POST", &path, &[kind, header], body.as_bytes());
            site.judge(&what, Some("mallory"), Some(&answer));
            let is_get = method.eq_ignore_ascii_case("get");
            assert!(answer.status >= 400 || is_get || answer.location().contains("/confirm"), "{what}");
        }
        // Rocket answers it as a HEAD, without the body whose length it has said: then the connection ends.
        let head = form(&[("_method", "head")]);
        let lines = format!("Host: localhost\r\nContent-Type: {}\r\nContent-Length: {}", kind.1, head.len());
        let request = format!("POST {path} HTTP/1.1\r\n{lines}\r\nConnection: close\r\n\r\n{head}");
        site.judge(&path, None, site.server.bytes(request.as_bytes()).as_ref());
    }
    for realm in REALMS {
        // The request is a POST on the wire, so what it may do is what a POST may.
        let body = form(&[("_method", "get")]);
        let path = format!("{realm}/login");
        let headers = [kind, ("Sec-Fetch-Site", "cross-site")];
        let answer = site.server.send(&mut site.mallory.clone(), "POST", &path, &headers, body.as_bytes());
        site.judge(&path, Some("mallory"), Some(&answer));
    }
    site.close();
}

//! Headers that no browser sends, and requests that are not whole: what they say is believed by no page.

use std::time::Duration;

use world::{Answer, encode};

use super::site::{EVIL, MARKUP, Site};
use crate::routes::REALMS;

/// Lines of headers, for a request that has a `Host` already.
fn lines() -> Vec<String> {
    let names = [
        "X-Forwarded-Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "X-Forwarded-Server",
        "X-Forwarded-Port",
        "X-Host",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Real-IP",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "Forwarded",
        "Via",
        "Proxy",
        "Origin",
        "Referer",
        "User-Agent",
        "From",
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "Accept-Charset",
        "Authorization",
        "Proxy-Authorization",
        "If-None-Match",
        "If-Modified-Since",
        "If-Match",
        "If-Range",
        "Range",
        "Upgrade",
        "Sec-WebSocket-Key",
        "HTTP2-Settings",
        "TE",
        "Trailer",
        "Max-Forwards",
        "Pragma",
        "Cache-Control",
        "X-Requested-With",
        "Destination",
        "X-HTTP-Method-Override",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
        "Sec-Fetch-Mode",
        "Sec-Fetch-Site",
        "Last-Event-ID",
        "X-Request-ID",
        "Content-Encoding",
        "Content-Type",
        "Set-Cookie",
        "Cookie2",
        "Location",
        "Clear-Site-Data",
    ];
    let values =
        [format!("https://{EVIL}/"), MARKUP.to_owned(), "{{ 7777*7777 }}".into(), "../../etc/passwd".into()];
    let mut lines: Vec<String> = names
        .iter()
        .flat_map(|name| values.iter().map(move |value| format!("{name}: {value}\r\n")))
        .collect();
    lines.extend(
        [
            "Range: bytes=0-1\r\n",
            "Range: bytes=-1\r\n",
            "Range: bytes=9-0\r\n",
            "Connection: cookie\r\n",
            "Connection: upgrade\r\nUpgrade: h2c\r\n",
            "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            "Expect: 100-continue\r\n",
            "Expect: nonsense\r\n",
            "Authorization: Basic YWxpY2U6YWxpY2U=\r\n",
            "Authorization: Bearer null\r\n",
            "X-Real-IP: 127.0.0.1\r\nX-Forwarded-For: ::1\r\n",
            "Host: evil.example\r\n",
            "Accept: */*;q=nan\r\n",
            "Content-Length: 0\r\n",
            "Content-Length: 5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Content-Length: 0x10\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: 1, 2\r\n",
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding:\x0bchunked\r\n",
            "X: a\r\n b\r\n",
            " X: a\r\n",
            "X\r\n",
            ": x\r\n",
            "X Y: z\r\n",
            "X: \0\r\n",
            "X: a\rb\r\n",
            "X: a\nY: b\r\n",
            "X\u{e9}: y\r\n",
            "\r\n",
            "\n",
        ]
        .map(str::to_owned),
    );
    lines.extend([
        format!("X: {}\r\n", "x".repeat(64 * 1024)),
        "X: y\r\n".repeat(200),
        "Cookie: a=b\r\n".repeat(500),
    ]);
    lines.extend([
        format!("Range: bytes={}0-\r\n", "0-,".repeat(1000)),
        format!("Accept-Language: {}\r\n", "de,".repeat(20_000)),
    ]);
    lines.extend([
        format!("Accept: {}\r\n", "*/*,".repeat(2000)),
        format!("X-{}: y\r\n", "x".repeat(60_000)),
        format!("If-None-Match: {}\r\n", "\"x\",".repeat(5000)),
    ]);
    lines
}

#[test]
fn no_header_is_believed_run_or_reflected_in_any_realm() {
    let site = Site::open();
    let own = format!(
        "Host: localhost:{}\r\nConnection: close\r\nCookie: {}\r\n",
        site.server.port,
        site.mallory.pair()
    );
    let all = lines();
    assert!(all.len() > 200, "{}", all.len());
    for (n, line) in all.iter().enumerate() {
        let what = line.chars().take(80).collect::<String>();
        // A header has four values, so that every realm sees it.
        let realm = REALMS[n % REALMS.len()];
        let get = format!("GET {realm}/profile HTTP/1.1\r\n{own}{line}\r\n");
        let answer = site.server.bytes(get.as_bytes());
        follow(&site, &what, answer.as_ref());
        let post = format!("POST {realm}/sessions/end-all HTTP/1.1\r\n{own}{line}\r\ncsrf_token=x");
        let answer = site.server.bytes(post.as_bytes());
        follow(&site, &what, answer.as_ref());
        if let Some(answer) = answer {
            assert!(
                answer.status >= 400 || answer.location().contains("/confirm"),
                "{what}: {}",
                answer.status
            );
        }
    }
    site.close();
}

#[test]
fn no_host_leads_elsewhere_and_no_half_request_is_followed() {
    let site = Site::open();
    let cookie = format!("Cookie: {}\r\n", site.mallory.pair());
    let hosts = [
        "",
        "Host:\r\n",
        "Host: \r\n",
        "Host: evil.example\r\n",
        "Host: evil.example:80\r\n",
        "Host: evil.example\r\nHost: localhost\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host: localhost@evil.example\r\n",
        "Host: localhost/evil.example\r\n",
        "Host: localhost:99999\r\n",
        "Host: localhost:x\r\n",
        "Host: [::1\r\n",
        "Host: evil.example#localhost\r\n",
        "Host: \"><script>alert(1)\r\n",
        "Host: localhost\\evil.example\r\n",
        "Host: a, evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: \u{202e}\r\n",
    ];
    let mut all: Vec<String> = Vec::new();
    for host in hosts {
        for target in [
            "/stateless",
            "/stateless/profile",
            "/user",
            "/login",
            "http://evil.example/stateless/profile",
            "/nowhere",
        ] {
            all.push(format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n{cookie}\r\n"));
            all.push(format!("GET {target} HTTP/1.0\r\n{host}{cookie}\r\n"));
        }
    }
    for request in &all {
        follow(&site, request, site.server.bytes(request.as_bytes()).as_ref());
    }
    let mut halves: Vec<String> = Vec::new();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let local = format!("Host: localhost\r\n{cookie}{form}");
    let next =
        "GET /stateless/profile HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\r\n";
    for path in ["/stateless/logout", "/revocable/sessions/end-all", "/stateful/account/delete"] {
        halves.extend([
            format!("POST {path} HTTP/1.1\r\n{local}Transfer-Encoding: chunked\r\n\r\n5\r\ncsrf_"),
            format!("POST {path} HTTP/1.1\r\n{local}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"),
            format!("POST {path} HTTP/1.1\r\n{local}Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n"),
            format!("POST {path} HTTP/1.1\r\n{local}Transfer-Encoding: chunked\r\n\r\n1;{}\r\nx\r\n0\r\n\r\n", "e=x;".repeat(9000)),
            format!("POST {path} HTTP/1.1\r\n{local}Transfer-Encoding: chunked\r\n\r\n0\r\nCookie: x=y\r\n\r\n{next}"),
            format!("POST {path} HTTP/1.1\r\n{local}Content-Length: 1000\r\n\r\ncsrf_token=x"),
            format!("POST {path} HTTP/1.1\r\n{local}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{next}"),
            format!("POST {path} HTTP/1.1\r\n{local}Content-Length: 0\r\n\r\n{next}{next}"),
            format!("POST {path} HTTP/1.1\r\n{local}\r\n{next}"),
            format!("POST {path} HTTP/1.0\r\n{local}\r\ncsrf_token=x"),
            format!("POST {path} HTTP/2.0\r\n{local}\r\n"),
            format!("POST {path} HTTP/0.9\r\n{local}\r\n"),
            format!("POST {path}\r\n\r\n"),
            format!("POST {path} HTTP/1.1\r\n{local}Content-Len"),
            format!("POST {path} HTTP/1.1"),
            format!("{next}{next}{next}"),
        ]);
    }
    halves.extend(
        [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}",
            "\0\0\0\0",
            "\r\n\r\n\r\n",
            "HELO evil\r\n",
            "",
        ]
        .map(str::to_owned),
    );
    for request in &halves {
        let answer = site.server.bytes_within(Duration::from_millis(200), request.as_bytes());
        follow(&site, request, answer.as_ref());
    }
    site.close();
}

/// Judges the answer, and that it leads and links to nowhere that a header says.
#[track_caller]
fn follow(site: &Site, what: &str, answer: Option<&Answer>) {
    let what: String = what.chars().take(120).collect();
    site.judge(&what, Some("mallory"), answer);
    if let Some(answer) = answer {
        assert!(!answer.location().contains(EVIL), "{what}: {}", answer.location());
        assert!(!answer.body.contains(EVIL), "{what}: {}", answer.body);
    }
}

#[test]
fn x2_no_contradiction_about_where_a_form_is_from_lets_it_in() {
    let site = Site::open();
    let own = format!("http://localhost:{}", site.server.port);
    let others: [&[(&str, &str)]; 16] = [
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", &own)],
        &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-User", "?1")],
        &[("Sec-Fetch-Site", "SAME-ORIGIN")],
        &[("Sec-Fetch-Site", "")],
        &[("Sec-Fetch-Site", "same-origin, cross-site")],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "https://evil.example")],
        &[("Origin", &own), ("Origin", "https://evil.example")],
        &[("Origin", "http://localhost:1"), ("X-Forwarded-Host", "localhost:1")],
        &[
            ("Origin", "http://evil.example"),
            ("X-Forwarded-Host", "evil.example"),
            ("Forwarded", "host=evil.example"),
        ],
        &[("Origin", "file://"), ("Referer", &own)],
    ];
    for realm in REALMS {
        for said in others {
            for path in ["/logout", "/account/delete", "/sessions/end-all", "/login", "/cookie/note"] {
                let mut jar = site.mallory.clone();
                let token = site.server.get(&mut jar, &format!("{realm}/cookie")).token();
                let body = format!("csrf_token={}&username=mallory&password=x&note=x", encode(&token));
                let headers = [&[("Content-Type", "application/x-www-form-urlencoded")], said].concat();
                let answer =
                    site.server.send(&mut jar, "POST", &format!("{realm}{path}"), &headers, body.as_bytes());
                site.judge(&format!("{said:?} at {realm}{path}"), Some("mallory"), Some(&answer));
                assert_eq!(answer.status, 403, "{said:?} at {realm}{path}");
            }
        }
    }
    assert_eq!(site.signed_in_as(&site.mallory), ["mallory"; 3]);
    site.close();
}

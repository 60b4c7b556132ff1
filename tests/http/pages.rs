//! What holds for every page: the security headers, and no inline style or script.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use world::{Answer, Jar, encode, form, program};

const HEADERS: [(&str, &str); 9] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("server", "Rocket"),
];

const ASSETS: [&str; 3] = ["/site.css", "/favicon.svg", "/robots.txt"];

#[track_caller]
fn is_guarded(what: &str, status: u16, answer: &Answer) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    for (name, value) in HEADERS {
        assert_eq!(answer.all(name).collect::<Vec<_>>(), [value], "{what}: {name}");
    }
    assert_eq!(answer.header("access-control-allow-origin"), None, "{what}");
    if !answer.body.is_empty() && !ASSETS.contains(&what) {
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{what}");
        is_plain_html(what, &answer.body);
    }
}

/// The policy would block them; a page that has them is broken.
#[track_caller]
fn is_plain_html(what: &str, html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{what}");
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default().to_ascii_lowercase();
        let inline = |word: &str| {
            word.starts_with("style")
                || (word.starts_with("on") && word.contains('='))
                || word.contains("javascript:")
        };
        assert!(!tag.split_whitespace().any(inline), "{what}: <{tag}>");
        assert!(!tag.starts_with("script") || tag.contains(" src=\"/"), "{what}: <{tag}>");
    }
    for body in html.split("<script").skip(1).filter_map(|rest| rest.split_once('>')) {
        assert!(body.1.starts_with("</script>"), "{what}: a script has a text of its own");
    }
}

#[test]
fn every_page_has_the_security_headers_and_nothing_inline() {
    let server = program!().start(&[]);
    let alice = server.register("alice");
    let pages = [
        ("/", 200, 200),
        ("/compare", 200, 200),
        ("/docs", 200, 200),
        ("/docs/security", 200, 200),
        ("/docs/no-such-guide", 404, 404),
        ("/lab", 200, 200),
        ("/lab/growth", 200, 200),
        ("/lab/no-such-experiment", 404, 404),
        ("/stateless", 200, 200),
        ("/stateless/cookie", 200, 200),
        ("/stateless/login", 200, 303),
        ("/stateless/signed-out", 200, 303),
        ("/stateless/register?next=/stateless/cookie", 200, 303),
        ("/stateless/profile", 303, 200),
        ("/stateless/sessions", 303, 200),
        ("/stateful/sessions", 303, 303),
        ("/stateless/sessions", 303, 200),
        ("/stateless/password", 303, 200),
        ("/stateless/confirm", 303, 200),
        ("/stateless/account/delete", 303, 200),
        ("/stateless/sessions/end", 404, 404),
        ("/stateful/sessions", 303, 303),
        ("/revocable", 200, 200),
        ("/login", 303, 303),
        ("/profile", 303, 303),
        ("/user", 303, 303),
        ("/nowhere", 404, 404),
        ("/stateless/nowhere", 404, 404),
        ("/stateless/%61%00", 404, 404),
        ("/stateless/logout", 404, 404),
        ("/site.css", 200, 200),
        ("/favicon.svg", 200, 200),
        ("/robots.txt", 200, 200),
    ];
    for (path, anonymous, signed_in) in pages {
        is_guarded(path, anonymous, &server.get(&mut Jar::default(), path));
        is_guarded(path, signed_in, &server.get(&mut alice.clone(), path));
        let head = server.send(&mut alice.clone(), "HEAD", path, &[], b"");
        is_guarded(path, signed_in, &head);
        assert_eq!(head.body, "", "{path}");
    }
}

#[test]
fn x6_what_cannot_be_read_as_a_request_has_the_security_headers_too() {
    let server = program!().start(&[]);
    let answer = server.send(&mut Jar::default(), "FOO", "/stateless", &[], b"");
    assert_eq!(answer.status, 400);
    let guarded = server.get(&mut Jar::default(), "/");
    for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options"] {
        assert_eq!(answer.all(name).collect::<Vec<_>>(), guarded.all(name).collect::<Vec<_>>(), "{name}");
    }
    assert_eq!(answer.all("cache-control").collect::<Vec<_>>(), ["no-store"]);
}

#[test]
fn every_answer_to_a_form_has_the_security_headers_and_nothing_inline() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    let token = server.get(&mut jar, "/stateless").token();
    let token = format!("csrf_token={}", encode(&token));
    let long = format!("{token}&username=alice&password={}", "x".repeat(33 * 1024));
    let posts = [
        ("login", "username=alice".to_owned(), 403),
        ("login", token.clone(), 422),
        ("login", format!("{token}&{}", form(&[("username", "<script>"), ("password", "wrong")])), 401),
        ("login", long, 413),
        ("register", format!("{token}&username=alice&password=short"), 422),
        ("nowhere", token.clone(), 404),
        ("logout", String::new(), 403),
        ("logout", token, 303),
    ];
    for (page, body, status) in posts {
        let answer = server.post_raw(&mut jar.clone(), &format!("/stateless/{page}"), body.as_bytes());
        is_guarded(&format!("{page} {status}"), status, &answer);
    }
}

#[test]
fn what_is_built_from_a_session_is_not_stored_and_assets_are() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    for path in ["/", "/stateless", "/stateless/profile", "/stateless/cookie", "/stateless/nowhere"] {
        let answer = server.get(&mut jar, path);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("vary"), None, "{path}: no cache has it anyway");
    }
    for other in ["/site.css?v=0", "/site.css", "/live.js?v=", "/favicon.svg?v=0"] {
        let asset = server.get(&mut jar, other);
        assert_eq!(
            asset.header("cache-control"),
            Some("no-cache"),
            "another version's, or nobody's: {other}"
        );
    }
}

#[test]
fn every_file_that_a_page_loads_is_kept_for_ever_at_its_address_and_held_to_its_hash() {
    let server = program!().start(&[]);
    let mut jar = server.register("alice");
    server.sign_in(&mut jar, "/revocable/login", "alice").leads_to("/revocable");
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let mut loaded = BTreeMap::new();
    for path in ["/", "/stateless", "/revocable/sessions", "/stateful/register", "/nowhere"] {
        for tag in server.get(&mut jar, path).body.split('<').filter_map(|rest| rest.split_once('>')) {
            let tag = tag.0;
            let uri =
                attribute(tag, "src").or_else(|| attribute(tag, "href").filter(|_| tag.starts_with("link")));
            loaded.extend(uri.map(|uri| (uri, (tag.to_owned(), attribute(tag, "integrity")))));
        }
    }
    assert_eq!(loaded.len(), 4, "the stylesheet, two scripts and the icon: {loaded:?}");
    for (uri, (tag, integrity)) in loaded {
        let file = server.get(&mut jar, &uri);
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"), "{uri}");
        assert_eq!(file.header("set-cookie"), None, "{uri}");
        let (hash, icon) =
            (ring::digest::digest(&ring::digest::SHA384, file.body.as_bytes()), "rel=\"icon\"");
        // A browser holds no icon to a hash.
        let expected = (!tag.contains(icon)).then(|| format!("sha384-{}", STANDARD.encode(hash)));
        assert_eq!(integrity, expected, "{uri}");
    }
}

#[test]
fn a_form_that_could_not_be_sent_is_503() {
    let server = program!().start(&[]);
    let mut known = Jar::default();
    server.get(&mut known, "/stateful");
    // Its store is gone.
    let session = r#"{realms={"/stateful"={store="sqlite:/dev/null/none.db",store_required=false}}}"#;
    let server = server.restart(&[("ROCKET_SESSION", session)]);
    for path in ["/stateful/login", "/stateful/register", "/stateful/login?next=/stateful/profile"] {
        for jar in [&known, &Jar::default()] {
            let answer = server.get(&mut jar.clone(), path);
            is_guarded(path, 503, &answer);
            assert!(!answer.body.contains("csrf_token"), "{path}: {}", answer.body);
        }
    }
    is_guarded("the other realm", 200, &server.get(&mut Jar::default(), "/stateless/login"));
}

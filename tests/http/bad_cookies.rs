//! Forged cookies: the request is anonymous, never an error, and the answers to all of them look alike.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cookie::{Cookie, CookieJar, Key};
use world::{Answer, COOKIE, Jar, Server, TO_LOGIN, program};

pub const SECRET: &[u8; 32] = b"sealed sessions: a key for tests";
const PROFILE: &str = "/stateless/profile";

fn server() -> Server {
    program!().start(&[("ROCKET_SECRET_KEY", &STANDARD.encode(SECRET))])
}

/// Seals `text` as Rocket does for the cookie `name`.
pub fn seal(key: &[u8; 32], name: &str, text: &str) -> String {
    let mut jar = CookieJar::new();
    jar.private_mut(&Key::derive_from(key)).add(Cookie::new(name.to_owned(), text.to_owned()));
    jar.get(name).unwrap().value().to_owned()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A record that this library would seal, of the account 1.
fn record(format: &str, created: i64, seen: i64, data: &str) -> String {
    format!(r#"[{format},"AAAAAAAAAAAAAAAAAAAAAA",{created},{seen},1,{data},0,{created},"1"]"#)
}

fn opened(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[0] ^= 1;
    bytes
}

/// Cookies of this name with values made from a genuine one without the key.
pub fn forged(name: &str, genuine: &str) -> Vec<(String, Vec<u8>)> {
    let sealed = STANDARD.decode(genuine).unwrap();
    let flipped = |at: usize| {
        let mut sealed = sealed.clone();
        sealed[at] ^= 1;
        STANDARD.encode(sealed)
    };
    let long = sealed.iter().copied().cycle();
    let values = [
        ("empty", String::new()),
        ("an equals sign", "=".into()),
        ("one byte", "x".into()),
        ("only a nonce", STANDARD.encode(&sealed[..12])),
        ("27 bytes", STANDARD.encode(&sealed[..27])),
        ("28 bytes", STANDARD.encode(&sealed[..28])),
        ("a bit of the nonce", flipped(0)),
        ("a bit of the ciphertext", flipped(20)),
        ("a bit of the tag", flipped(sealed.len() - 1)),
        ("a cut tag", STANDARD.encode(&sealed[..sealed.len() - 1])),
        ("no tag", STANDARD.encode(&sealed[..sealed.len() - 16])),
        ("a byte appended", STANDARD.encode([&sealed[..], b"x"].concat())),
        ("not base64", "?".repeat(genuine.len())),
        ("the other alphabet", URL_SAFE_NO_PAD.encode(opened(&sealed))),
        ("more padding", format!("{genuine}=")),
        ("a percent-encoded NUL", "%00".into()),
        ("4097 bytes", STANDARD.encode(long.clone().take(3073).collect::<Vec<_>>())[..4097].into()),
        ("64 KiB", STANDARD.encode(long.take(48 * 1024).collect::<Vec<_>>())),
        ("half quoted", format!("\"{genuine}")),
        ("another key's", seal(b"a key that this server never had", name, &record("1", now(), now(), "{}"))),
        ("another realm's", seal(SECRET, "__Host-Http-other", &record("1", now(), now(), "{}"))),
        ("a flash", seal(SECRET, "_flash", "7:warninghello")),
        ("readable JSON", record("1", now(), now(), "{}").replace(',', "%2C")),
        ("pieces without the others", format!("2.{genuine}")),
        ("no pieces", format!("0.{genuine}")),
        ("one piece", format!("1.{genuine}")),
        ("very many pieces", format!("99.{genuine}")),
        ("a count beyond all numbers", format!("18446744073709551616.{genuine}")),
        ("a count below zero", format!("-1.{genuine}")),
    ];
    let mut headers: Vec<(String, Vec<u8>)> = values
        .into_iter()
        .map(|(what, value)| (what.to_owned(), format!("{name}={value}").into_bytes()))
        .collect();
    headers.push(("nothing but junk, 50 times".into(), format!("{name}=junk; ").repeat(50).into_bytes()));
    headers
}

/// The answer to anyone without a session, and to anyone who sends a forged cookie.
fn assert_anonymous(what: &str, answer: &Answer) {
    answer.leads_to(TO_LOGIN);
    assert_eq!(answer.header("set-cookie"), None, "{what}: only signing out removes a cookie");
    assert_eq!(answer.notice(), None, "{what}");
}

#[test]
fn a_forged_cookie_is_anonymous_and_like_every_other() {
    let mut server = server();
    let jar = server.register("alice");
    let mut first = None;
    for (what, header) in forged(COOKIE, jar.value().unwrap()) {
        let answer = server.get_with_cookies(PROFILE, &header).undated();
        assert_anonymous(&what, &answer);
        assert_eq!(first.get_or_insert_with(|| answer.clone()), &answer, "{what}");
        for path in ["/", "/stateless", "/stateless/cookie", "/stateless/login", "/stateless/nowhere"] {
            let page = server.get_with_cookies(path, &header);
            assert!(page.status < 500, "{what} at {path}: {}", page.status);
            assert!(!page.body.contains("alice"), "{what} at {path}");
            assert_eq!(page.notice(), None, "{what} at {path}");
        }
    }
    assert_unharmed(&mut server, &jar);
}

#[test]
fn a_sealed_record_that_cannot_be_is_anonymous() {
    let mut server = server();
    let jar = server.register("alice");
    let (now, account) = (now(), r#"{"user":{"id":1,"name":"alice"}}"#);
    let records = [
        ("a future format", record("2", now, now, account)),
        ("no format", record("null", now, now, account)),
        ("a format below zero", record("-1", now, now, account)),
        ("made in the future", record("1", now + 3600, now + 3600, account)),
        ("seen in the future", record("1", now, now + 3600, account)),
        ("made at the end of time", record("1", i64::MAX, i64::MAX, account)),
        ("seen at the end of time", record("1", now, i64::MAX, account)),
        ("times that are no whole numbers", record("1", now, now, account).replace(",1,{", ",1.5,{")),
        ("data that is nothing", record("1", now, now, "null")),
        ("a count below zero", record("1", now, now, r#"{"visits":-1}"#)),
        ("a count that is text", record("1", now, now, r#"{"visits":"1"}"#)),
        ("an account that is text", record("1", now, now, r#"{"user":"alice"}"#)),
        ("a field twice", record("1", now, now, r#"{"visits":1,"visits":2}"#)),
        ("data without end", record("1", now, now, &"[".repeat(1000))),
        ("no array", r#"{"visits":1}"#.into()),
        ("an empty array", "[]".into()),
        ("no id", format!("[1,\"\",{now},{now},1,{account}]")),
        ("nothing", String::new()),
    ];
    for (what, record) in records {
        let header = format!("{COOKIE}={}", seal(SECRET, COOKIE, &record));
        assert_anonymous(what, &server.get_with_cookies(PROFILE, header.as_bytes()));
    }
    assert_unharmed(&mut server, &jar);
}

#[test]
fn a_sealed_record_at_the_end_of_its_numbers_stays_there() {
    let mut server = server();
    let jar = server.register("alice");
    let now = now();
    let data = format!(r#"{{"visits":{},"user":{{"id":{},"name":""}}}}"#, u64::MAX, i64::MIN);
    let counts = record("1", now, now, &data).replace(",1,{\"visits", &format!(",{},{{\"visits", u32::MAX));
    let header = format!("{COOKIE}={}", seal(SECRET, COOKIE, &counts));
    let page = server.get_with_cookies("/stateless", header.as_bytes());
    assert_eq!(page.output("visits"), Some(&*u64::MAX.to_string()), "{}", page.body);
    assert_unharmed(&mut server, &jar);
}

#[test]
fn a_sealed_record_of_long_ago_has_ended() {
    let mut server = server();
    let jar = server.register("alice");
    let now = now();
    for (created, seen) in [(-1, -1), (i64::MIN, i64::MIN), (0, 0), (now, i64::MIN), (i64::MIN, now)] {
        let sealed = seal(SECRET, COOKIE, &record("1", created, seen, r#"{"user":{"id":1,"name":"alice"}}"#));
        let header = format!("{COOKIE}={sealed}");
        let answer = server.get_with_cookies(PROFILE, header.as_bytes());
        let limit = if created == i64::MIN && seen == now { "absolute" } else { "idle" };
        answer.leads_to(&format!("{TO_LOGIN}&ended={limit}"));
        assert_eq!(answer.header("set-cookie"), None, "{created} {seen}");
        let page = server.get_with_cookies("/stateless", header.as_bytes());
        assert!(page.notice().is_some_and(|notice| notice.contains("ended")), "{created} {seen}");
    }
    assert_unharmed(&mut server, &jar);
}

#[test]
fn a_genuine_cookie_counts_whatever_stands_beside_it() {
    let server = server();
    let jar = server.register("alice");
    let genuine = jar.pair();
    let others: String = (0..50).map(|n| format!("junk{n}={}; ", "x".repeat(n))).collect();
    let headers = [
        format!("{genuine}; {COOKIE}=junk"),
        format!("{COOKIE}=junk; {genuine}"),
        format!("{COOKIE}=; {genuine}; {COOKIE}=="),
        format!("{genuine}; {genuine}"),
        // RFC 6265, 4.1.1.
        format!("{COOKIE}=\"{}\"", jar.value().unwrap()),
        format!("{others}{genuine}"),
        format!("{genuine}; {others}"),
        format!("; ;=;{genuine};;"),
        format!("{COOKIE}x=junk; x{COOKIE}=junk; {COOKIE}.1=junk; {genuine}"),
        format!("{genuine}\r\nCookie: {COOKIE}=junk"),
    ];
    for header in headers {
        let page = server.get_with_cookies(PROFILE, header.as_bytes());
        assert_eq!(page.output("username"), Some("alice"), "{header}");
    }
}

#[test]
fn two_genuine_cookies_of_different_sessions_count_as_none() {
    let server = server();
    let (alice, bob) = (server.register("alice"), server.register("bob"));
    for (one, other) in [(&alice, &bob), (&bob, &alice)] {
        let header = format!("{}; {}", one.pair(), other.pair());
        let answer = server.get_with_cookies(PROFILE, header.as_bytes());
        assert_anonymous("two sessions", &answer);
    }
}

#[test]
fn a_header_that_is_no_text_is_refused_or_anonymous() {
    let mut server = server();
    let jar = server.register("alice");
    let headers: [&[u8]; 6] = [
        b"__Host-Http-stateless=\xff\xfe",
        b"__Host-Http-stateless=\0",
        b"__Host-Http-stateless=a\rb",
        b"\xff",
        b"__Host-Http-stateless",
        &[b'x'; 1024 * 1024],
    ];
    for header in headers {
        let status = server.get_with_cookies(PROFILE, header).status;
        assert!(
            status == 303 || (400..500).contains(&status),
            "{status} for {:?}",
            &header[..header.len().min(40)]
        );
    }
    assert_unharmed(&mut server, &jar);
}

/// Checks that the attempts harmed neither the real session nor the server.
#[track_caller]
fn assert_unharmed(server: &mut Server, jar: &Jar) {
    server.assert_well();
    assert_eq!(server.user(jar).as_deref(), Some("alice"));
    assert!(!server.log().contains(jar.value().unwrap()), "a cookie is in the log");
}

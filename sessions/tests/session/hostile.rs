//! Rule 1: whatever a browser sends is a session or an empty one, and never an error.

use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use world::KEY;

use crate::support::{App, COOKIE, cookie, get, seal, set_cookies};

const ID: &str = "AAECAwQFBgcICQoLDA0ODw";
const OTHER: &str = "AQECAwQFBgcICQoLDA0ODw";

/// What `/read` says. It sets no cookie, whatever was sent (rule 3).
fn answer(browser: &Client, header: &str) -> String {
    let response = browser.get("/read").header(Header::new("Cookie", header.to_owned())).dispatch();
    assert_eq!(response.status(), Status::Ok, "{header:.60}");
    assert!(set_cookies(&response).is_empty(), "{header:.60}");
    response.into_string().unwrap()
}

fn sealed(text: &str) -> String {
    format!("__Host-Http-session={}", seal(KEY, "__Host-Http-session", text))
}

fn record(id: &str, created: i64, seen: i64, version: u32, data: &str) -> String {
    format!("[1,\"{id}\",{created},{seen},{version},{data}]")
}

const NOW: i64 = 1_800_000_000;

#[test]
fn rule_1_what_is_no_session_is_anonymous() {
    let browser = App::new("").browser();
    get(&browser, "/visits");
    let good = cookie(&browser).unwrap().value().to_owned();
    let fresh = App::new("").browser();
    let other_key = seal("b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgb28=", "__Host-Http-session", "[1]");
    let values = [
        String::new(),
        "=".into(),
        "A".into(),
        "AAAA".into(),
        "A".repeat(16),
        "A".repeat(36),
        "not base64!".into(),
        good.replace(['+', '/'], "-"),
        good.trim_end_matches('=').to_owned() + "==",
        format!("{good}A"),
        format!("\"{good}"),
        format!("\"\"{good}\"\""),
        good[..good.len() - 4].to_owned(),
        "%00".into(),
        "x".repeat(4097),
        "x".repeat(65536),
        seal(KEY, "__Host-stateful", &record(ID, NOW, NOW, 1, "{}")),
        seal(KEY, "csrf", "token"),
        other_key,
        "2.".into(),
        format!("2.{good}"),
        "99.".into(),
        "..".into(),
    ];
    for value in values {
        if value == good {
            continue;
        }
        let text = answer(&fresh, &format!("__Host-Http-session={value}"));
        assert!(text.starts_with("0 Invalid("), "{value:.40}: {text}");
    }
}

#[test]
fn rule_1_genuine_seals_of_impossible_sessions_are_anonymous() {
    let browser = App::new("").browser();
    let good = record(ID, NOW, NOW, 1, r#"{"views":5}"#);
    assert_eq!(answer(&browser, &sealed(&good)), "5 Resumed");
    let cases = [
        (record(ID, NOW, NOW, 1, r#"{"views":5}"#).replacen("[1", "[2", 1), "Invalid(Format)"),
        ("".into(), "Invalid(Format)"),
        ("{}".into(), "Invalid(Format)"),
        ("[1]".into(), "Invalid(Format)"),
        (good.replace(ID, "short"), "Invalid(Format)"),
        (record(ID, NOW, NOW, 1, "5"), "Invalid(Format)"),
        (record(ID, NOW, NOW, 1, r#"{"views":"many"}"#), "Invalid(Schema)"),
        (record(ID, NOW, NOW, 1, "{nonsense}"), "Invalid(Schema)"),
        (record(ID, NOW + 61, NOW, 1, r#"{"views":5}"#), "Invalid(Future)"),
        (record(ID, NOW, NOW + 61, 1, r#"{"views":5}"#), "Invalid(Future)"),
        (record(ID, i64::MAX, i64::MAX, 1, r#"{"views":5}"#), "Invalid(Future)"),
        (record(ID, i64::MIN, i64::MIN, 1, r#"{"views":5}"#), "Expired(Idle)"),
        (record(ID, -5, NOW, 1, r#"{"views":5}"#), "Expired(Absolute)"),
        (record(ID, NOW, -5, 1, r#"{"views":5}"#), "Expired(Idle)"),
        (good.replace("1,{", "99999999999,{"), "Invalid(Format)"),
    ];
    for (text, expected) in cases {
        assert_eq!(answer(&browser, &sealed(&text)), format!("0 {expected}"), "{text}");
    }
    let slightly_ahead = record(ID, NOW + 60, NOW + 60, 1, r#"{"views":5}"#);
    assert_eq!(answer(&browser, &sealed(&slightly_ahead)), "5 Resumed");
}

#[test]
fn rule_1_of_several_cookies_the_one_that_opens_counts() {
    let browser = App::new("").browser();
    let good = sealed(&record(ID, NOW, NOW, 1, r#"{"views":5}"#));
    let junk = "__Host-Http-session=junk";
    for header in
        [format!("{good}; {junk}"), format!("{junk}; {good}"), format!("a=b; {junk};{good} ; {junk}")]
    {
        assert_eq!(answer(&browser, &header), "5 Resumed", "{header:.60}");
    }
    let beside: String = (0..50).map(|n| format!("junk{n}=%00\u{7f}; ")).collect();
    assert_eq!(answer(&browser, &format!("{beside}{good}")), "5 Resumed");
}

#[test]
fn rule_1_two_states_of_one_session_are_the_later_and_two_sessions_are_none() {
    let browser = App::new("").browser();
    let old = sealed(&record(ID, NOW, NOW, 1, r#"{"views":5}"#));
    let new = sealed(&record(ID, NOW, NOW, 2, r#"{"views":6}"#));
    let other = sealed(&record(OTHER, NOW, NOW, 1, r#"{"views":7}"#));
    assert_eq!(answer(&browser, &format!("{old}; {new}")), "6 Resumed");
    assert_eq!(answer(&browser, &format!("{new}; {old}")), "6 Resumed");
    for header in [format!("{old}; {other}"), format!("{other}; {old}")] {
        assert_eq!(answer(&browser, &header), "0 Invalid(Ambiguous)");
    }
}

#[test]
fn rule_1_unknown_and_missing_fields_are_no_error() {
    let browser = App::new("").browser();
    let more = record(ID, NOW, NOW, 1, r#"{"views":5,"unknown":{"a":[1,"}"]}}"#);
    assert_eq!(answer(&browser, &sealed(&more)), "5 Resumed");
}

#[test]
fn a_cookie_header_that_is_not_utf_8_or_comes_twice_is_read_as_far_as_it_can_be() {
    let browser = App::new("").browser();
    let good = sealed(&record(ID, NOW, NOW, 1, r#"{"views":5}"#));
    let request = browser.get("/read").header(Header::new("Cookie", "a=b"));
    let mut request = request;
    request.add_header(Header::new("Cookie", good));
    assert_eq!(request.dispatch().into_string().as_deref(), Some("5 Resumed"));
}

#[test]
fn rule_1_an_expired_cookie_beside_a_live_one_does_not_count() {
    let browser = App::new("[default.session]\ncookie = \"s\"").browser();
    let sealed = |record: String| format!("s={}", seal(KEY, "s", &record));
    let old = sealed(record(ID, NOW - 100_000, NOW - 100_000, 1, r#"{"views":5}"#));
    let live = sealed(record(OTHER, NOW, NOW, 1, r#"{"views":7}"#));
    for both in [format!("{old}; {live}"), format!("{live}; {old}")] {
        let answer = browser.get("/read").header(Header::new("Cookie", both)).dispatch();
        assert_eq!(answer.into_string().as_deref(), Some("7 Resumed"));
    }
}

#[test]
fn rule_1_a_cookie_of_the_name_that_is_no_session_hides_no_chunked_one() {
    let browser = Client::untracked(App::new("").rocket()).unwrap();
    let lines = set_cookies(&browser.get("/note/5500").dispatch());
    let pairs: Vec<&str> = lines.iter().map(|line| line.split(';').next().unwrap()).collect();
    assert_eq!(pairs.len(), 2, "{lines:?}");
    let live = pairs.join("; ");
    for junk in ["junk", "2.junk", ""] {
        for both in [format!("{COOKIE}={junk}; {live}"), format!("{live}; {COOKIE}={junk}")] {
            let answer = browser.get("/read").header(Header::new("Cookie", both)).dispatch();
            assert_eq!(answer.into_string().as_deref(), Some("0 Resumed"), "{junk:?}");
        }
    }
}

/// The chunks of a cookie are looked up by number: without a bound the work grows with their square.
#[test]
fn a_name_that_is_repeated_without_end_is_read_to_a_bound() {
    let browser = App::new("").browser();
    let cookies = vec!["__Host-Http-session=2."; 100_000].join(";");
    let answer = browser.get("/read").header(Header::new("Cookie", cookies)).dispatch();
    assert_eq!(answer.into_string().as_deref(), Some("0 Invalid(Malformed)"));
}

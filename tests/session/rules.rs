//! Rules 1 to 7 and 11 as a browser sees them.

use rocket::http::{Header, Status};
use time::Duration;

use crate::support::{App, cookie, get, set_cookies};

#[test]
fn a_session_of_one_line_is_a_private_cookie_of_rocket() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let sealed = cookie(&browser).unwrap();
    let request = browser.get("/read").cookie(sealed);
    let opened = request.inner().cookies().get_private("__Host-session").unwrap();
    let record: serde_json::Value = serde_json::from_str(opened.value()).unwrap();
    assert_eq!(record[0], 1);
    assert_eq!(record[2], 1_800_000_000);
    assert_eq!(record[5], serde_json::json!({ "views": 1 }));
}

#[test]
fn rule_1_a_tampered_cookie_is_anonymous_and_cleared() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let mut sealed = cookie(&browser).unwrap();
    sealed.set_value(sealed.value().replacen(|letter: char| letter.is_ascii_lowercase(), "~", 1));
    let response = app.browser().get("/read").cookie(sealed).dispatch().into_string();
    assert_eq!(response.as_deref(), Some("0 Invalid(Malformed)"));
}

#[test]
fn rule_2_a_route_without_a_session_does_nothing_to_it() {
    let app = App::new("");
    let browser = app.browser();
    let response = browser.get("/bare").header(Header::new("Cookie", "__Host-session=junk")).dispatch();
    assert!(set_cookies(&response).is_empty());
    assert_eq!(response.headers().get_one("Vary"), None);
}

#[test]
fn rule_3_reading_sets_no_cookie_until_seen_is_a_minute_old() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    app.advance(Duration::seconds(60));
    assert!(set_cookies(&browser.get("/read").dispatch()).is_empty());
    app.advance(Duration::seconds(1));
    assert_eq!(set_cookies(&browser.get("/read").dispatch()).len(), 1);
    assert!(set_cookies(&browser.get("/read").dispatch()).is_empty());
}

#[test]
fn rule_4_a_new_session_that_stays_empty_is_not_sent() {
    let app = App::new("");
    let browser = app.browser();
    for path in ["/read", "/note/0", "/renew"] {
        assert!(set_cookies(&browser.get(path).dispatch()).is_empty(), "{path}");
    }
}

#[test]
fn rule_4_a_change_that_changes_nothing_is_none() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/note/5");
    assert!(set_cookies(&browser.get("/note/5").dispatch()).is_empty());
}

#[test]
fn rule_5_the_idle_timeout_is_enforced_and_the_cookie_cleared() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    app.advance(Duration::minutes(30) - Duration::SECOND);
    assert_eq!(get(&browser, "/read"), "1 Resumed");
    app.advance(Duration::minutes(30));
    let response = browser.get("/read").dispatch();
    let [line] = &set_cookies(&response)[..] else { panic!("one Set-Cookie") };
    assert!(line.contains("Max-Age=0") && line.contains("Expires=Thu, 01 Jan 1970"), "{line}");
    assert_eq!(response.into_string().as_deref(), Some("0 Expired(Idle)"));
    assert_eq!(get(&browser, "/read"), "0 Absent");
}

#[test]
fn rule_5_the_absolute_timeout_never_slides() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    for _ in 0..35 {
        app.advance(Duration::minutes(20));
        get(&browser, "/visits");
        get(&browser, "/renew");
    }
    assert_eq!(get(&browser, "/read"), "36 Resumed");
    app.advance(Duration::minutes(20));
    assert_eq!(get(&browser, "/read"), "0 Expired(Absolute)");
}

#[test]
fn rule_7_destroy_counts_on_a_failed_response_and_other_changes_do_not() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let response = browser.get("/visits/fails").dispatch();
    assert_eq!(response.status(), Status::BadGateway);
    assert!(set_cookies(&response).is_empty());
    let response = browser.get("/logout/fails").dispatch();
    assert!(set_cookies(&response)[0].contains("Max-Age=0"));
    drop(response);
    assert_eq!(get(&browser, "/read"), "0 Absent");
}

#[test]
fn rule_11_a_response_built_from_a_session_is_private() {
    let app = App::new("");
    let browser = app.browser();
    let response = browser.get("/read").dispatch();
    assert_eq!(response.headers().get_one("Cache-Control"), Some("no-store"));
    assert_eq!(response.headers().get_one("Vary"), Some("Cookie"));
}

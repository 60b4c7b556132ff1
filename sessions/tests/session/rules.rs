//! Rules 1 to 7 and 11 as a browser sees them.

use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::uri;
use time::Duration;
use world::KEY;

use crate::log;
use crate::site;
use crate::support::{App, cookie, get, seal, set_cookies};

#[test]
fn a_session_of_one_line_is_a_private_cookie_of_rocket() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let sealed = cookie(&browser).unwrap();
    let request = browser.get("/read").cookie(sealed);
    let opened = request.inner().cookies().get_private("__Host-Http-session").unwrap();
    let record: serde_json::Value = serde_json::from_str(opened.value()).unwrap();
    assert_eq!(record[0], 1);
    assert_eq!(record[2], 1_800_000_000);
    assert_eq!(record[5], serde_json::json!({ "views": 1 }));
}

#[test]
fn rule_1_a_tampered_cookie_is_anonymous() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let mut sealed = cookie(&browser).unwrap();
    sealed.set_value(sealed.value().replacen(|letter: char| letter.is_ascii_lowercase(), "~", 1));
    let response = app.browser().get("/read").cookie(sealed).dispatch().into_string();
    assert_eq!(response.as_deref(), Some("0 Invalid(Malformed)"));
}

#[test]
fn rule_1_of_several_dead_cookies_the_first_is_the_reason() {
    let app = App::new("[default.session]\nidle_timeout = \"12 hours\"\nabsolute_timeout = \"12 hours\"");
    let pair = |browser: &Client| {
        get(browser, "/visits");
        format!("__Host-Http-session={}", cookie(browser).unwrap().value())
    };
    let (idle, busy) = (app.browser(), app.browser());
    let idle = pair(&idle);
    pair(&busy);
    app.advance(Duration::hours(11));
    let busy = pair(&busy);
    app.advance(Duration::hours(2));
    let browser = app.browser();
    let arrival = |cookies: [&str; 3]| {
        let header = Header::new("Cookie", cookies.join("; "));
        browser.get("/read").header(header).dispatch().into_string().unwrap()
    };
    let junk = "__Host-Http-session=junk";
    assert_eq!(arrival([junk, &idle, &busy]), "0 Expired(Idle)");
    assert_eq!(arrival([&busy, &idle, junk]), "0 Expired(Absolute)");
}

#[test]
fn rule_2_a_route_without_a_session_does_nothing_to_it() {
    let app = App::new("");
    let browser = app.browser();
    let response = browser.get("/bare").header(Header::new("Cookie", "__Host-Http-session=junk")).dispatch();
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
fn rule_3_with_a_short_idle_timeout_a_tenth_of_it_is_enough() {
    let app = App::new("[default.session]\nidle_timeout = \"200 seconds\"");
    let browser = app.browser();
    get(&browser, "/visits");
    for (seconds, lines) in [(20, 0), (1, 1), (20, 0), (2, 1)] {
        app.advance(Duration::seconds(seconds));
        assert_eq!(set_cookies(&browser.get("/read").dispatch()).len(), lines, "{seconds}");
    }
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
fn rule_3_a_dead_cookie_is_replaced_by_a_new_session_and_removed_by_nothing() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    app.advance(Duration::minutes(30));
    for _ in 0..2 {
        let response = browser.get("/read").dispatch();
        assert!(set_cookies(&response).is_empty(), "an answer that removes it may arrive after a sign-in");
        assert_eq!(response.into_string().as_deref(), Some("0 Expired(Idle)"));
    }
    assert_eq!(set_cookies(&browser.get("/visits").dispatch()).len(), 1);
    assert_eq!(get(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_5_the_idle_timeout_is_enforced() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    app.advance(Duration::minutes(30) - Duration::SECOND);
    assert_eq!(get(&browser, "/read"), "1 Resumed");
    app.advance(Duration::minutes(30));
    assert_eq!(get(&browser, "/read"), "0 Expired(Idle)");
}

#[test]
fn rule_5_giving_the_password_again_restarts_both_timeouts() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/login/ada");
    let stay_for_almost_12_hours = || {
        for _ in 0..24 {
            app.advance(Duration::minutes(29));
            assert_eq!(get(&browser, "/read"), "0 Resumed");
        }
    };
    stay_for_almost_12_hours();
    get(&browser, "/proves");
    stay_for_almost_12_hours();
    app.advance(Duration::minutes(24));
    assert_eq!(get(&browser, "/read"), "0 Expired(Absolute)");
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
    assert_eq!(response.headers().get_one("Vary"), None, "it adds nothing to no-store");
}

#[test]
fn rule_11_no_shared_cache_gets_a_set_cookie_and_each_route_warns_once() {
    let browser = App::new("").browser();
    log::lines();
    for policy in ["public, max-age=3600", "max-age=60", "s-maxage=5"] {
        let response = browser.get(uri!(site::policy(policy, true))).dispatch();
        assert_eq!(set_cookies(&response).len(), 1);
        let headers: Vec<_> = response.headers().get("Cache-Control").collect();
        assert_eq!(headers, ["no-store"], "{policy}");
    }
    let warnings = log::lines().into_iter().filter(|line| line.starts_with("WARN")).count();
    assert_eq!(warnings, 1);
}

#[test]
fn rule_5_a_remembered_login_has_its_own_limits_until_the_subject_changes() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/login/ada?remember=true");
    for _ in 0..3 {
        app.advance(Duration::days(9));
        assert_eq!(get(&browser, "/visits").len(), 1, "a change keeps the longer lifetime");
    }
    app.advance(Duration::days(3));
    assert_eq!(get(&browser, "/read"), "0 Expired(Absolute)");

    get(&browser, "/login/ada?remember=true");
    get(&browser, "/login/bob");
    app.advance(Duration::minutes(30));
    assert_eq!(get(&browser, "/read"), "0 Expired(Idle)");
}

#[test]
fn rule_5_an_anonymous_session_has_its_own_idle_timeout() {
    let app = App::new("[default.session]\nanonymous_idle_timeout = \"1 minute\"");
    let (anonymous, ada) = (app.browser(), app.browser());
    get(&anonymous, "/visits");
    get(&ada, "/login/ada");
    app.advance(Duration::minutes(2));
    assert_eq!(get(&anonymous, "/read"), "0 Expired(Idle)");
    assert_eq!(get(&ada, "/read"), "0 Resumed");
}

#[test]
fn rule_5_a_tightened_timeout_takes_effect_at_once() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    app.advance(Duration::minutes(5));
    let tightened = App::new("[default.session]\nidle_timeout = \"4 minutes\"");
    tightened.advance(Duration::minutes(5));
    let later = tightened.browser();
    let response = later.get("/read").cookie(cookie(&browser).unwrap()).dispatch();
    assert_eq!(response.into_string().as_deref(), Some("0 Expired(Idle)"));
}

#[test]
fn rule_6_signing_in_gives_a_new_id_and_keeps_the_data() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    let id = |browser| {
        let sealed = cookie(browser).unwrap();
        let request = browser.get("/read").cookie(sealed);
        request.inner().cookies().get_private("__Host-Http-session").unwrap().value()[4..26].to_owned()
    };
    let before = id(&browser);
    get(&browser, "/login/ada");
    assert_ne!(id(&browser), before);
    assert_eq!(get(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_7_a_session_too_large_for_chunks_is_a_500_that_names_the_fields_and_keeps_the_old_cookie() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/visits");
    log::lines();
    let response = browser.get("/note/9000").dispatch();
    assert_eq!(response.status(), Status::InternalServerError);
    assert!(set_cookies(&response).is_empty());
    assert_eq!(response.into_string().as_deref(), Some("our page for 500"));
    let [line] = &log::lines()[..] else { panic!("one line") };
    assert!(line.contains("max_cookie_bytes = 8192") && line.contains("\"note\" 9002 bytes"), "{line}");
    assert!(!line.contains("abcdef"), "{line}");
    assert_eq!(get(&browser, "/read"), "1 Resumed");
}

const OLD_KEY: &str = "b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=";

#[test]
fn a_session_of_a_previous_key_is_sealed_anew_by_the_next_response() {
    let app =
        App::new("[default.session]\nprevious_keys = [\"b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=\"]");
    let browser = app.browser();
    let id = "AAECAwQFBgcICQoLDA0ODw";
    let old = |version| {
        seal(
            OLD_KEY,
            "__Host-Http-session",
            &format!("[1,\"{id}\",1800000000,1800000000,{version},{{\"views\":4}}]"),
        )
    };
    let header = Header::new("Cookie", format!("__Host-Http-session={}", old(1)));
    let response = browser.get("/read").header(header.clone()).dispatch();
    assert_eq!(set_cookies(&response).len(), 1);
    assert_eq!(response.into_string().as_deref(), Some("4 Resumed"));
    assert!(set_cookies(&browser.get("/read").dispatch()).is_empty(), "once is enough");
    let without = App::new("").browser();
    assert_eq!(
        without.get("/read").cookie(cookie(&browser).unwrap()).dispatch().into_string().as_deref(),
        Some("4 Resumed")
    );
    assert_eq!(
        without.get("/read").header(header).dispatch().into_string().as_deref(),
        Some("0 Invalid(Seal)")
    );
}

#[test]
fn rule_2_a_head_request_runs_the_get_route_and_commits() {
    let browser = App::new("").browser();
    let response = browser.head("/visits").dispatch();
    assert_eq!(set_cookies(&response).len(), 1);
    drop(response);
    assert_eq!(get(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_13_debug_shows_no_secret() {
    let app = App::new("");
    let browser = app.browser();
    get(&browser, "/login/ada");
    let shown = get(&browser, "/debug");
    assert!(shown.contains("Session") && shown.contains("Record"), "{shown}");
    for secret in ["ada", "views", KEY] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_closure_that_asks_for_the_session_again_does_not_deadlock_and_loses_nothing() {
    let browser = App::new("").browser();
    assert_eq!(get(&browser, "/nested"), "7 views 0");
}

//! Cookies that are older than others of their session, which the setting `notice_stale` has noticed.

use rocket::http::{Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{get, routes};
use sealed_sessions::{Current, Exclusive, ReadOnly};

use crate::site::{Visit, Visitor};
use crate::support::{App, COOKIE};

const NOTICING: &str = "[default.session]\nnotice_stale = true\n";

#[get("/current")]
fn current(session: Current<'_, Visitor>) -> String {
    session.update(|visitor| visitor.views += 10);
    session.get().views.to_string()
}

#[get("/reseal")]
fn reseal(session: Visit<'_>) {
    session.reseal();
}

#[get("/unchanged")]
fn unchanged(session: Visit<'_>) {
    session.update(|_| ());
}

#[get("/others/read")]
fn read_only(session: ReadOnly<'_, Visitor>) -> String {
    format!("{:?}", session.arrival())
}

#[get("/locks")]
fn locks(session: Exclusive<'_, Visitor>) -> String {
    format!("{:?}", session.arrival())
}

/// A browser that sends what a test tells it to.
fn browser(settings: &str) -> (App, Client) {
    let app = App::new(settings);
    let rocket = app.rocket().mount("/", routes![current, reseal, unchanged, read_only, locks]);
    (app, Client::untracked(rocket).unwrap())
}

fn send<'c>(browser: &'c Client, path: &str, cookie: &Cookie<'static>) -> LocalResponse<'c> {
    browser.get(path.to_owned()).cookie(cookie.clone()).dispatch()
}

fn text(browser: &Client, path: &str, cookie: &Cookie<'static>) -> String {
    send(browser, path, cookie).into_string().unwrap_or_default()
}

/// The cookie that an answer sets.
fn set(answer: &LocalResponse<'_>) -> Cookie<'static> {
    answer.cookies().get(COOKIE).unwrap().clone().into_owned()
}

/// The cookies of a session that has counted to this number of visits, the oldest first.
fn visits(browser: &Client, count: usize) -> Vec<Cookie<'static>> {
    let mut cookies = vec![set(&browser.get("/visits").dispatch())];
    while cookies.len() < count {
        cookies.push(set(&send(browser, "/visits", cookies.last().unwrap())));
    }
    cookies
}

#[test]
fn a_cookie_that_was_rolled_back_is_stale_by_as_many_versions() {
    let (_, browser) = browser(NOTICING);
    let cookies = visits(&browser, 3);
    assert_eq!(text(&browser, "/read", &cookies[2]), "3 Resumed");
    assert_eq!(text(&browser, "/read", &cookies[1]), "2 Stale { behind: 1 }");
    assert_eq!(text(&browser, "/read", &cookies[0]), "1 Stale { behind: 2 }");
    assert_eq!(text(&browser, "/read", &cookies[2]), "3 Resumed", "the newest stays the newest");
}

#[test]
fn every_guard_says_that_a_session_is_stale() {
    let (_, browser) = browser(NOTICING);
    let cookies = visits(&browser, 2);
    assert_eq!(text(&browser, "/others/read", &cookies[0]), "Stale { behind: 1 }");
    assert_eq!(text(&browser, "/locks", &cookies[0]), "Stale { behind: 1 }");
}

#[test]
fn without_the_setting_an_older_cookie_is_resumed() {
    let (_, browser) = browser("");
    let cookies = visits(&browser, 2);
    assert_eq!(text(&browser, "/read", &cookies[0]), "1 Resumed");
    assert_eq!(text(&browser, "/current", &cookies[0]), "11");
}

#[test]
fn of_two_tabs_that_wrote_at_once_one_is_stale() {
    let (_, browser) = browser(NOTICING);
    let first = visits(&browser, 1).remove(0);
    let one = set(&send(&browser, "/note/1", &first));
    let other = set(&send(&browser, "/note/2", &first));
    assert_eq!(text(&browser, "/read", &one), "1 Stale { behind: 1 }");
    assert_eq!(text(&browser, "/read", &other), "1 Resumed", "the last writer wins");
}

#[test]
fn what_is_saved_from_a_stale_session_is_the_newest() {
    for path in ["/visits", "/unchanged", "/reseal"] {
        let (_, browser) = browser(NOTICING);
        let cookies = visits(&browser, 3);
        let saved = set(&send(&browser, path, &cookies[0]));
        assert!(text(&browser, "/read", &saved).ends_with(" Resumed"), "{path}");
        assert_eq!(text(&browser, "/read", &cookies[2]), "3 Stale { behind: 1 }", "{path}");
    }
}

#[test]
fn rule_4_a_session_that_is_not_stale_is_not_sealed_anew() {
    let (_, browser) = browser(NOTICING);
    let newest = visits(&browser, 2).remove(1);
    for path in ["/unchanged", "/reseal", "/read"] {
        assert_eq!(send(&browser, path, &newest).cookies().get(COOKIE), None, "{path}");
    }
}

#[test]
fn rule_3_reading_a_stale_session_sets_no_cookie() {
    let (app, browser) = browser(NOTICING);
    let cookies = visits(&browser, 2);
    assert_eq!(send(&browser, "/read", &cookies[0]).cookies().get(COOKIE), None);
    app.advance(time::Duration::minutes(2));
    let touched = set(&send(&browser, "/read", &cookies[0]));
    assert_eq!(text(&browser, "/read", &touched), "1 Stale { behind: 1 }", "its use is noted, its age stays");
}

#[test]
fn a_handler_that_asks_for_a_current_session_refuses_a_stale_one_once() {
    let (_, browser) = browser(NOTICING);
    let cookies = visits(&browser, 2);
    let refused = send(&browser, "/current", &cookies[0]);
    assert_eq!(refused.status(), Status::Conflict);
    assert_eq!(text(&browser, "/current", &set(&refused)), "11");
}

#[test]
fn rule_7_a_write_that_failed_was_never_seen() {
    let (_, browser) = browser(NOTICING);
    let first = visits(&browser, 1).remove(0);
    assert_eq!(send(&browser, "/note/20000", &first).status(), Status::InternalServerError);
    assert_eq!(send(&browser, "/visits/fails", &first).status(), Status::BadGateway);
    assert_eq!(text(&browser, "/read", &first), "1 Resumed");
}

#[test]
fn a_new_id_starts_anew() {
    let (_, browser) = browser(NOTICING);
    let cookies = visits(&browser, 3);
    for path in ["/login/ada", "/renew"] {
        let renewed = set(&send(&browser, path, &cookies[0]));
        assert_eq!(text(&browser, "/read", &renewed), "1 Resumed", "{path}");
    }
    assert_eq!(text(&browser, "/read", &cookies[2]), "3 Resumed", "the old id's newest is still the newest");
}

#[test]
fn another_process_knows_what_it_has_seen_itself() {
    let (app, browser) = browser(NOTICING);
    let cookies = visits(&browser, 3);
    let other = Client::untracked(app.rocket()).unwrap();
    assert_eq!(text(&other, "/read", &cookies[0]), "1 Resumed", "as after a restart");
    assert_eq!(text(&other, "/read", &cookies[2]), "3 Resumed");
    assert_eq!(text(&other, "/read", &cookies[0]), "1 Stale { behind: 2 }");
}

#[test]
fn rule_5_a_stale_session_times_out_as_any_other() {
    let (app, browser) = browser(NOTICING);
    let cookies = visits(&browser, 2);
    app.advance(time::Duration::minutes(31));
    assert_eq!(text(&browser, "/read", &cookies[0]), "0 Expired(Idle)");
}

#[cfg(feature = "memory")]
#[test]
fn a_server_store_has_nothing_to_notice() {
    let (_, browser) = browser(&format!("{NOTICING}store = \"memory\"\n"));
    let cookie = visits(&browser, 1).remove(0);
    send(&browser, "/visits", &cookie);
    assert_eq!(text(&browser, "/read", &cookie), "2 Resumed");
}

//! The seam, on a server store with faults: fault, stall, renewal, end. What holds here holds
//! for every store, because nothing above the trait knows which it is.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::local::asynchronous;
use rocket::local::blocking::Client;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;
use rocket::{Request, Shutdown, State, catch, catchers, get, routes};
use time::Duration;

use crate::faulty::{Act, Faulty, SETTINGS, app, start};
use crate::log;
use crate::site::{self, Visit};
use crate::support::{App, COOKIE, cookie, get as fetch, set_cookies, with};

#[test]
fn the_cookie_of_a_server_store_carries_only_the_id() {
    let (store, _, browser) = start();
    let request = browser.get("/read").cookie(cookie(&browser).unwrap());
    let ticket = request.inner().cookies().get_private("__Host-Http-session").unwrap();
    assert_eq!(ticket.value(), store.records()[0].id.to_text());
}

#[test]
fn rule_1_a_fault_of_the_store_is_our_503_without_a_cookie_and_nothing_is_lost() {
    let (store, _, browser) = start();
    for (operation, path) in
        [("load", "/read"), ("load", "/visits"), ("update", "/visits"), ("renew", "/renew")]
    {
        store.next(operation, Act::Fault);
        let response = browser.get(path).dispatch();
        assert_eq!(response.status(), Status::ServiceUnavailable, "{operation} {path}");
        assert!(set_cookies(&response).is_empty(), "{operation} {path}");
        assert_eq!(response.into_string().as_deref(), Some("our page for 503"), "{operation} {path}");
    }
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_1_a_first_visit_that_cannot_be_kept_is_503_too() {
    let store = Faulty::new();
    store.next("create", Act::Fault);
    let browser = app(&store).browser();
    let response = browser.get("/visits").dispatch();
    assert_eq!(response.status(), Status::ServiceUnavailable);
    assert!(set_cookies(&response).is_empty());
}

#[test]
fn rule_1_after_a_failed_commit_nobody_is_signed_in() {
    let store = Faulty::new();
    let browser = Client::tracked(app(&store).rocket().register("/", catchers![unavailable])).unwrap();
    fetch(&browser, "/visits");
    for (operation, path) in [("renew", "/login/ada"), ("update", "/visits")] {
        store.next(operation, Act::Fault);
        let response = browser.get(path).dispatch();
        assert_eq!(response.status(), Status::ServiceUnavailable, "{path}");
        assert_eq!(response.into_string().as_deref(), Some("0 None"), "{path}");
    }
}

/// A page that greets whoever is signed in.
#[catch(503)]
async fn unavailable(request: &Request<'_>) -> String {
    let session = request.guard::<Visit<'_>>().await.unwrap();
    let visitor = session.get();
    format!("{} {:?}", visitor.views, visitor.user)
}

#[test]
fn rule_3_a_dead_cookie_is_replaced_by_a_new_session_and_removed_by_nothing() {
    let (store, app, browser) = start();
    app.advance(Duration::minutes(30));
    let response = browser.get("/read").dispatch();
    assert!(set_cookies(&response).is_empty());
    assert_eq!(response.into_string().as_deref(), Some("0 Revoked"));
    store.calls();
    assert_eq!(set_cookies(&browser.get("/visits").dispatch()).len(), 1);
    assert_eq!(store.calls(), ["load", "create"]);
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_3_reading_only_moves_seen() {
    let (store, app, browser) = start();
    fetch(&browser, "/read");
    assert_eq!(store.calls(), ["load"]);
    app.advance(Duration::seconds(61));
    fetch(&browser, "/read");
    assert_eq!(store.calls(), ["load", "touch"]);
    assert_eq!(store.records()[0].version, 1);
}

#[test]
fn rule_3_a_use_that_cannot_be_noted_is_a_warning_and_the_page_is_answered() {
    let (store, app, browser) = start();
    app.advance(Duration::seconds(61));
    store.next("touch", Act::Fault);
    let response = browser.get("/read").dispatch();
    assert_eq!((response.status(), set_cookies(&response).len()), (Status::Ok, 0));
    assert_eq!(response.into_string().unwrap(), "1 Resumed");
    let line = log::lines().into_iter().rfind(|line| line.contains("cannot be noted")).unwrap();
    assert!(line.starts_with("WARN"), "{line}");
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_1_what_a_store_will_never_take_is_500_and_the_old_session_goes_on() {
    let (store, _, browser) = start();
    store.next("update", Act::Refuse);
    let response = browser.get("/visits").dispatch();
    assert_eq!((response.status(), set_cookies(&response).len()), (Status::InternalServerError, 0));
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_7_a_session_above_max_session_bytes_is_a_500_that_names_the_fields_and_the_old_one_goes_on() {
    let app = App::new("[default.session]\nstore = \"memory\"\nmax_session_bytes = 2000");
    let browser = app.browser();
    fetch(&browser, "/note/1500");
    let response = browser.get("/note/2500").dispatch();
    assert_eq!((response.status(), set_cookies(&response).len()), (Status::InternalServerError, 0));
    let line = log::lines().into_iter().rfind(|line| line.contains("max_session_bytes")).unwrap();
    assert!(
        line.contains("above max_session_bytes = 2000") && line.contains("\"note\" 2502 bytes"),
        "{line}"
    );
    assert!(set_cookies(&browser.get("/note/1500").dispatch()).is_empty(), "the old session is as it was");
    let rest = r#"{"views":0,"note":""}"#.len();
    for (bytes, status) in [(2000, Status::Ok), (2001, Status::InternalServerError)] {
        let response = browser.get(format!("/note/{}", bytes - rest)).dispatch();
        assert_eq!(response.status(), status, "{bytes} bytes of data");
    }
}

#[get("/logout/twice")]
fn logout_twice(session: Visit<'_>, again: Visit<'_>) {
    session.destroy();
    session.update(|visitor| visitor.views = 7);
    again.destroy();
}

#[test]
fn rule_7_a_session_that_is_destroyed_twice_in_a_request_has_ended() {
    let store = Faulty::new();
    let browser = Client::tracked(app(&store).rocket().mount("/", routes![logout_twice])).unwrap();
    fetch(&browser, "/visits");
    let copy = cookie(&browser).unwrap();
    store.calls();
    fetch(&browser, "/logout/twice");
    assert_eq!(store.calls(), ["load", "delete"]);
    assert_eq!(with(&browser, "/read", &copy).into_string().as_deref(), Some("0 Revoked"));
}

#[test]
fn a_session_that_has_ended_already_is_not_ended_again() {
    let (store, _, browser) = start();
    let copy = cookie(&browser).unwrap();
    fetch(&browser, "/logout");
    store.calls();
    with(&browser, "/logout", &copy);
    assert_eq!(store.calls(), ["load"]);
}

#[test]
fn of_several_dead_cookies_a_superseded_one_is_the_reason() {
    let browser = App::new("[default.session]\nstore = \"memory\"").browser();
    let pair = |path| {
        fetch(&browser, path);
        format!("{COOKIE}={}", cookie(&browser).unwrap().value())
    };
    let ended = pair("/visits");
    fetch(&browser, "/logout");
    let superseded = pair("/login/ada");
    fetch(&browser, "/renew");
    for cookies in [[&superseded, &ended], [&ended, &superseded]] {
        let header = Header::new("Cookie", cookies.map(String::as_str).join("; "));
        let answer = browser.get("/read").header(header).dispatch().into_string();
        assert_eq!(answer.as_deref(), Some("0 Superseded"));
    }
}

#[test]
fn rule_4_any_number_of_changes_is_one_load_and_one_write() {
    let (store, _, browser) = start();
    fetch(&browser, "/busy");
    assert_eq!(store.calls(), ["load", "update"]);
    assert_eq!(store.records()[0].version, 2);
}

#[test]
fn rule_4_an_update_on_a_server_store_sends_no_cookie() {
    let (store, app, browser) = start();
    assert!(set_cookies(&browser.get("/visits").dispatch()).is_empty());
    assert_eq!(store.calls(), ["load", "update"]);
    app.advance(Duration::minutes(5));
    assert!(set_cookies(&browser.get("/read").dispatch()).is_empty());
    assert_eq!(store.calls(), ["load", "touch"]);
    assert_eq!(fetch(&browser, "/read"), "2 Resumed");
}

#[test]
fn rule_4_a_login_that_is_remembered_later_sends_its_max_age_once() {
    let (_, _, browser) = start();
    fetch(&browser, "/login/ada");
    let before = cookie(&browser);
    let response = browser.get("/remember").dispatch();
    let [line] = &set_cookies(&response)[..] else { panic!("one Set-Cookie") };
    assert!(line.contains("; Max-Age=2592000"), "{line}");
    drop(response);
    assert_ne!(cookie(&browser), before);
    assert!(set_cookies(&browser.get("/remember").dispatch()).is_empty());
}

#[test]
fn rule_6_a_renewal_is_one_atomic_step_to_a_new_id() {
    let (store, _, browser) = start();
    let before = store.records()[0].id;
    fetch(&browser, "/login/ada");
    assert_eq!(store.calls(), ["load", "renew"]);
    let [record] = &store.records()[..] else { panic!("one session") };
    assert_ne!(record.id, before);
    assert_eq!((record.subject.as_deref(), record.signed_in.is_some()), (Some("ada"), true));
    assert!(record.data.contains("\"views\":1"), "{}", record.data);
}

#[test]
fn rule_6_a_change_of_subject_renews_by_itself() {
    let (store, _, browser) = start();
    let before = store.records()[0].id;
    fetch(&browser, "/user/ada");
    assert_ne!(store.records()[0].id, before);
}

#[test]
fn rule_6_the_id_of_a_client_is_never_adopted() {
    let (store, _, browser) = start();
    let planted = store.records()[0].id;
    store.next("load", Act::Forget);
    let response = browser.get("/visits").dispatch();
    assert_eq!(set_cookies(&response).len(), 1);
    assert_ne!(store.records()[0].id, planted);
}

#[test]
fn rule_7_destroy_with_the_store_down_signs_the_browser_out_and_says_how_long_the_copy_lives() {
    let (store, app, browser) = start();
    store.next("delete", Act::Fault);
    let response = browser.get("/logout").dispatch();
    assert_eq!(response.status(), Status::ServiceUnavailable);
    assert!(set_cookies(&response)[0].contains("Max-Age=0"));
    let until = sealed_sessions::Clock::seconds(&*app.clock) + 30 * 60;
    assert_eq!(response.into_string(), Some(format!("until {until}")));
    assert_eq!(store.records().len(), 1);
    assert_eq!(fetch(&browser, "/read"), "0 Absent");
}

#[test]
fn rule_7_logout_deletes_the_session() {
    let (store, _, browser) = start();
    fetch(&browser, "/logout");
    assert!(store.records().is_empty());
}

#[test]
fn rule_8_a_stalled_store_costs_no_more_than_store_timeout() {
    let (store, _, browser) = start();
    let begun = std::time::Instant::now();
    store.next("load", Act::Stall);
    assert_eq!(browser.get("/read").dispatch().status(), Status::ServiceUnavailable);
    assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
}

#[test]
fn rule_8_a_session_that_was_ended_meanwhile_is_not_brought_back() {
    let (store, _, browser) = start();
    for (operation, path) in [("update", "/visits"), ("renew", "/renew")] {
        let held = cookie(&browser).unwrap();
        store.next(operation, Act::Forget);
        let response = with(&browser, path, &held);
        assert!(set_cookies(&response).is_empty(), "{path}");
        assert!(store.records().is_empty(), "{path}");
        drop(response);
        fetch(&browser, "/read");
        fetch(&browser, "/visits");
    }
}

#[test]
fn rule_8_a_renewal_that_failed_leaves_the_old_session_whole() {
    let (store, _, browser) = start();
    store.next("renew", Act::Fault);
    fetch(&browser, "/login/ada");
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
    assert_eq!(store.records()[0].subject, None);
}

#[rocket::async_test]
async fn nothing_of_a_store_goes_on_after_its_app_has_ended() {
    let store = Faulty::new();
    let browser = asynchronous::Client::tracked(app(&store).rocket()).await.unwrap();
    browser.get("/visits").dispatch().await;
    browser.terminate().await;
    // A task that was aborted ends at its next step.
    for _ in 0..5000 {
        if Arc::strong_count(&store) == 1 {
            return;
        }
        rocket::tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("{} still have the store", Arc::strong_count(&store) - 1);
}

/// Shuts the server down, and continues when the stores have stopped or after a while.
#[get("/last")]
async fn last(session: Visit<'_>, shutdown: Shutdown, store: &State<Arc<Faulty>>) -> String {
    shutdown.notify();
    let _ = timeout(std::time::Duration::from_millis(200), store.stopped.notified()).await;
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[rocket::async_test]
async fn a_request_that_the_end_of_the_server_finds_is_answered_and_kept() {
    let store = Faulty::new();
    let (told, ready) = rocket::tokio::sync::oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let liftoff = AdHoc::on_liftoff("Port", move |rocket| {
        let (told, port) = (told.lock().unwrap().take(), rocket.config().port);
        Box::pin(async move { told.unwrap().send(port).unwrap() })
    });
    let rocket = app(&store).rocket().configure(site::figment(SETTINGS).merge(("port", 0)));
    let rocket = rocket.mount("/", routes![last]).manage(Arc::clone(&store)).attach(liftoff);
    let server = rocket::tokio::spawn(rocket.launch());
    let mut connection = TcpStream::connect(("127.0.0.1", ready.await.unwrap())).await.unwrap();
    connection.write_all(b"GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(store.records().len(), 1);
    drop(connection);
    server.await.unwrap().unwrap();
    assert!(store.is_closed(), "and only then the store is stopped, before the program goes on");
}

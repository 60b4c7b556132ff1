//! The seam, on a server store with faults: conflict, fault, stall, rotation, lock. What holds here holds
//! for every store, because nothing above the trait knows which it is.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::futures::future::join_all;
use rocket::http::{Cookie, Header, Status};
use rocket::local::asynchronous;
use rocket::local::blocking::{Client, LocalResponse};
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;
use rocket::{Shutdown, State, get, routes};
use time::Duration;

use crate::faulty::{Act, Faulty};
use crate::site::{self, Visit};
use crate::support::{App, cookie, get as fetch, set_cookies};

const SETTINGS: &str = "[default.session]\nstore = \"faulty\"\nstore_timeout = \"50 ms\"";

fn app(store: &Arc<Faulty>) -> App {
    App::new(SETTINGS).store("faulty", store.clone())
}

fn start() -> (Arc<Faulty>, App, Client) {
    let store = Faulty::new();
    let app = app(&store);
    let browser = app.browser();
    assert_eq!(fetch(&browser, "/visits"), "1");
    store.calls();
    (store, app, browser)
}

/// A request with this cookie, whatever the browser has been given since.
fn with<'c>(browser: &'c Client, path: &str, cookie: &Cookie<'_>) -> LocalResponse<'c> {
    let header = format!("{}={}", cookie.name(), cookie.value());
    browser.get(path.to_owned()).header(Header::new("Cookie", header)).dispatch()
}

#[test]
fn the_cookie_of_a_server_store_carries_only_the_id() {
    let (store, _, browser) = start();
    let request = browser.get("/read").cookie(cookie(&browser).unwrap());
    let ticket = request.inner().cookies().get_private("__Host-session").unwrap();
    assert_eq!(ticket.value(), store.records()[0].id.to_text());
}

#[test]
fn rule_1_a_fault_of_the_store_is_our_503_without_a_cookie_and_nothing_is_lost() {
    let (store, _, browser) = start();
    for (operation, path) in
        [("load", "/read"), ("load", "/visits"), ("update", "/visits"), ("rotate", "/renew")]
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
fn rule_1_a_late_request_with_a_renewed_id_is_anonymous_and_sets_nothing() {
    let (_, app, browser) = start();
    let old = cookie(&browser).unwrap();
    fetch(&browser, "/renew");
    for path in ["/read", "/visits", "/logout"] {
        let response = with(&browser, path, &old);
        assert!(set_cookies(&response).is_empty(), "{path}");
    }
    assert_eq!(with(&browser, "/read", &old).into_string().as_deref(), Some("0 Superseded"));
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
    app.advance(Duration::seconds(60));
    let later = with(&browser, "/read", &old);
    assert!(set_cookies(&later)[0].contains("Max-Age=0"));
    assert_eq!(later.into_string().as_deref(), Some("0 Revoked"));
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
fn rule_4_any_number_of_changes_is_one_load_and_one_write() {
    let (store, _, browser) = start();
    fetch(&browser, "/busy");
    assert_eq!(store.calls(), ["load", "update"]);
    assert_eq!(store.records()[0].version, 2);
}

#[test]
fn rule_6_a_renewal_is_one_atomic_step_to_a_new_id() {
    let (store, _, browser) = start();
    let before = store.records()[0].id;
    fetch(&browser, "/login/ada");
    assert_eq!(store.calls(), ["load", "rotate"]);
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
    for (operation, path) in [("update", "/visits"), ("rotate", "/renew")] {
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
    store.next("rotate", Act::Fault);
    fetch(&browser, "/login/ada");
    assert_eq!(fetch(&browser, "/read"), "1 Resumed");
    assert_eq!(store.records()[0].subject, None);
}

#[test]
fn rule_9_a_conflict_is_merged_field_by_field() {
    let (store, _, browser) = start();
    for operation in ["update", "rotate"] {
        let path = if operation == "update" { "/visits" } else { "/login/ada" };
        store.next(
            operation,
            Act::Meanwhile(|record| record.data = record.data.replace('}', r#","note":"theirs"}"#)),
        );
        let response = browser.get(path).dispatch();
        assert_eq!(set_cookies(&response).len(), 1);
    }
    let [record] = &store.records()[..] else { panic!("one session") };
    let data: serde_json::Value = serde_json::from_str(&record.data).unwrap();
    assert_eq!(data, serde_json::json!({ "views": 2, "note": "theirs", "user": "ada" }));
}

#[test]
fn rule_9_where_both_changed_a_field_mine_wins() {
    let (store, _, browser) = start();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":100}"#.into()));
    fetch(&browser, "/visits");
    assert_eq!(fetch(&browser, "/read"), "2 Resumed");
}

#[test]
fn rule_9_a_conflict_without_end_is_given_up() {
    let (store, _, browser) = start();
    for _ in 0..200 {
        store.next("update", Act::Meanwhile(|_| ()));
    }
    assert_eq!(browser.get("/visits").dispatch().status(), Status::ServiceUnavailable);
}

async fn together(browser: &asynchronous::Client, paths: impl Iterator<Item = String>) {
    join_all(paths.map(|path| browser.get(path).dispatch())).await;
}

#[rocket::async_test]
async fn rule_9_parallel_changes_of_different_fields_lose_none() {
    let store = Faulty::new();
    let browser = asynchronous::Client::tracked(app(&store).rocket()).await.unwrap();
    browser.get("/visits").dispatch().await;
    together(&browser, ["/slow/views", "/slow/text"].map(String::from).into_iter()).await;
    let data: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert_eq!(data, serde_json::json!({ "views": 2, "note": "text" }));
}

#[rocket::async_test]
async fn sixty_four_exclusive_increments_count_to_sixty_four() {
    let store = Faulty::new();
    let app = App::new("[default.session]\nstore = \"faulty\"").store("faulty", store.clone());
    let browser = asynchronous::Client::tracked(app.rocket()).await.unwrap();
    browser.get("/note/3").dispatch().await;
    together(&browser, (0..64).map(|_| "/slow/views".to_owned())).await;
    let shared: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert!(
        shared["views"].as_u64().unwrap() < 64,
        "without the lock some are lost, or this test shows nothing"
    );
    browser.get("/logout").dispatch().await;
    browser.get("/note/3").dispatch().await;
    together(&browser, (0..64).map(|_| "/exclusive".to_owned())).await;
    let locked: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert_eq!(locked["views"], 64);
}

#[test]
fn exclusive_is_an_ordinary_session_where_the_store_has_no_locks() {
    let browser = App::new("").browser();
    fetch(&browser, "/visits");
    assert_eq!(fetch(&browser, "/exclusive"), "false");
    assert_eq!(fetch(&browser, "/read"), "2 Resumed");
    let (_, _, browser) = start();
    assert_eq!(fetch(&browser, "/exclusive"), "true");
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

//! Rule 9: writes of one session that meet, on a server store.

use rocket::futures::future::join_all;
use rocket::http::Status;
use rocket::local::asynchronous;

use crate::faulty::{Act, Faulty, app, start};
use crate::support::{App, get as fetch};

#[test]
fn rule_9_a_conflict_is_merged_field_by_field() {
    let (store, _, browser) = start();
    for operation in ["update", "renew"] {
        let path = if operation == "update" { "/visits" } else { "/renew" };
        store.next(
            operation,
            Act::Meanwhile(|record| record.data = record.data.replace('}', r#","note":"theirs"}"#)),
        );
        fetch(&browser, path);
    }
    let [record] = &store.records()[..] else { panic!("one session") };
    let data: serde_json::Value = serde_json::from_str(&record.data).unwrap();
    assert_eq!(data, serde_json::json!({ "views": 2, "note": "theirs" }));
}

#[test]
fn rule_9_where_both_changed_a_field_mine_wins() {
    let (store, _, browser) = start();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":100}"#.into()));
    fetch(&browser, "/visits");
    assert_eq!(fetch(&browser, "/read"), "2 Resumed");
}

#[test]
fn rule_9_a_write_that_met_a_conflict_reads_again_and_writes_again() {
    let (store, _, browser) = start();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":1,"note":"x"}"#.into()));
    fetch(&browser, "/visits");
    assert_eq!(store.calls(), ["load", "update", "load", "update"]);
}

#[test]
fn rule_9_nothing_is_written_where_the_merge_equals_what_is_there() {
    let (store, _, browser) = start();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":2,"note":"x"}"#.into()));
    assert_eq!(fetch(&browser, "/visits"), "2");
    assert_eq!(store.calls(), ["load", "update", "load"]);
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

/// Sends requests of one browser, all at once.
pub async fn together(browser: &asynchronous::Client, paths: impl Iterator<Item = String>) {
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
async fn rule_9_every_request_of_a_busy_session_is_answered() {
    let store = Faulty::new();
    let app = App::new("[default.session]\nstore = \"faulty\"").store("faulty", store.clone());
    let browser = asynchronous::Client::tracked(app.rocket()).await.unwrap();
    browser.get("/note/3").dispatch().await;
    store.calls();
    let answers = join_all((0..300).map(|_| browser.get("/slow/views").dispatch())).await;
    assert!(answers.iter().all(|answer| answer.status() == Status::Ok));
    let calls = store.calls().len();
    assert!(calls <= 4 * 300, "each reads, writes, and once more if it has met another one: {calls} calls");
}

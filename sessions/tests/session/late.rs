//! Requests that meet: what comes late, what comes twice, and data that another release wrote.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rocket::http::{Header, Status};
use rocket::local::{asynchronous, blocking};
use rocket::tokio::time::timeout;
use rocket::{get, routes};
use sealed_sessions::{Clock, Id, Record, Session, SessionData, Sessions, Store};
use serde::{Deserialize, Serialize};

use crate::log;
use crate::scripted::{Act, Scripted};
use crate::support::{App, KEY, get as fetch, seal, set_cookies};

const OLD_KEY: &str = "b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=";

fn scripted(settings: &str) -> (Arc<Scripted>, App) {
    let store = Scripted::new();
    let app = App::new(&format!("[default.session]\nstore = \"scripted\"\n{settings}"));
    (store.clone(), app.store("scripted", store))
}

fn record(app: &App, views: u64) -> Record {
    let now = app.clock.seconds();
    let data = format!(r#"{{"views":{views}}}"#);
    let id = Id::random().unwrap();
    Record {
        id,
        created: now,
        seen: now,
        version: 1,
        data,
        remembered: false,
        signed_in: None,
        subject: None,
    }
}

async fn kept(store: &Scripted, record: &Record) {
    store.create(record, record.seen + 1800).await.unwrap();
}

fn cookie_of(key: &str, id: &Id) -> String {
    format!("__Host-session={}", seal(key, "__Host-session", &id.to_text()))
}

/// Answers `/late/{what}` after `other` has been answered, both with the same cookie.
async fn late<'c>(
    browser: &'c asynchronous::Client,
    app: &App,
    what: &str,
    other: &str,
    cookie: &str,
) -> (asynchronous::LocalResponse<'c>, asynchronous::LocalResponse<'c>) {
    let header = || Header::new("Cookie", cookie.to_owned());
    let slow = browser.get(format!("/late/{what}")).header(header()).dispatch();
    let fast = async {
        app.gate.loaded.notified().await;
        let answer = browser.get(other.to_owned()).header(header()).dispatch().await;
        app.gate.answered.notify_one();
        answer
    };
    rocket::tokio::join!(slow, fast)
}

#[rocket::async_test]
async fn rule_1_a_late_answer_seals_nothing_anew_that_was_renewed_meanwhile() {
    let (store, app) = scripted(&format!("previous_keys = [{OLD_KEY:?}]"));
    let old = record(&app, 1);
    kept(&store, &old).await;
    let browser = asynchronous::Client::untracked(app.rocket()).await.unwrap();
    let cookie = cookie_of(OLD_KEY, &old.id);
    let (late, login) = late(&browser, &app, "read", "/login/ada", &cookie).await;
    assert_eq!(login.headers().get("Set-Cookie").count(), 1);
    assert_eq!(late.headers().get("Set-Cookie").count(), 0, "it would sign the browser out");
}

#[rocket::async_test]
async fn l12_a_logout_ends_a_session_that_was_renewed_while_it_was_under_way() {
    let (store, app) = scripted("");
    let old = record(&app, 1);
    kept(&store, &old).await;
    let browser = asynchronous::Client::untracked(app.rocket()).await.unwrap();
    let (_, renewed) = late(&browser, &app, "logout", "/renew", &cookie_of(KEY, &old.id)).await;
    assert_eq!(store.records(), [], "the renewed one is ended too");
    let line = renewed.headers().get_one("Set-Cookie").unwrap();
    let cookie = Header::new("Cookie", line.split(';').next().unwrap().to_owned());
    let next = browser.get("/read").header(cookie).dispatch().await.into_string().await;
    assert_eq!(next.as_deref(), Some("0 Revoked"));
}

#[rocket::async_test]
async fn an_exclusive_session_holds_its_own_lock_also_beside_a_dead_cookie() {
    let (store, app) = scripted("");
    let (dead, live) = (Id::random().unwrap(), record(&app, 1));
    kept(&store, &live).await;
    let browser = asynchronous::Client::untracked(app.rocket()).await.unwrap();
    let held = store.lock(&live.id.to_text()).await.unwrap();
    let cookies = format!("{}; {}", cookie_of(KEY, &dead), cookie_of(KEY, &live.id));
    let ask = || browser.get("/exclusive").header(Header::new("Cookie", cookies.clone())).dispatch();
    assert!(timeout(Duration::from_millis(50), ask()).await.is_err(), "another one holds the lock");
    drop(held);
    assert_eq!(ask().await.into_string().await.as_deref(), Some("true"));
}

#[test]
fn rule_1_an_expired_cookie_beside_a_live_one_does_not_count() {
    let app = App::new("[default.session]\ncookie = \"s\"");
    let browser = app.browser();
    let now = app.clock.seconds();
    let sealed = |id: &str, at: i64, views: u32| {
        format!("s={}", seal(KEY, "s", &format!(r#"[1,"{id}",{at},{at},1,{{"views":{views}}}]"#)))
    };
    let old = sealed("AAECAwQFBgcICQoLDA0ODw", now - 100_000, 5);
    let live = sealed("AQECAwQFBgcICQoLDA0ODw", now, 7);
    for both in [format!("{old}; {live}"), format!("{live}; {old}")] {
        let answer = browser.get("/read").header(Header::new("Cookie", both)).dispatch();
        assert_eq!(answer.into_string().as_deref(), Some("7 Resumed"));
    }
}

#[rocket::async_test]
async fn the_store_is_asked_once_about_a_cookie_and_a_few_times_about_many() {
    let (store, app) = scripted("");
    let live = record(&app, 1);
    kept(&store, &live).await;
    let browser = asynchronous::Client::untracked(app.rocket()).await.unwrap();
    let ask = async |cookies: String| {
        store.calls();
        browser.get("/read").header(Header::new("Cookie", cookies)).dispatch().await;
        store.calls().len()
    };
    assert_eq!(ask(vec![cookie_of(KEY, &live.id); 100].join("; ")).await, 1);
    let many: Vec<String> = (0..100).map(|_| cookie_of(KEY, &Id::random().unwrap())).collect();
    assert!(ask(many.join("; ")).await < 10);
}

/// The pieces of a cut cookie are looked up by number: without a bound the work grows with their square.
#[test]
fn a_name_that_is_repeated_without_end_is_read_to_a_bound() {
    let browser = App::new("").browser();
    let cookies = vec!["__Host-session=2."; 100_000].join(";");
    let answer = browser.get("/read").header(Header::new("Cookie", cookies)).dispatch();
    assert_eq!(answer.into_string().as_deref(), Some("0 Invalid(Malformed)"));
}

#[test]
fn l13_only_a_proof_moves_the_time_of_the_sign_in() {
    let (store, app) = scripted("");
    let browser = app.browser();
    let signed_in = || fetch(&browser, "/all").split("signed_in=").nth(1).unwrap().to_owned();
    fetch(&browser, "/login/ada");
    let first = signed_in();
    app.advance(time::Duration::minutes(20));
    fetch(&browser, "/renew");
    assert_eq!(signed_in(), first, "a new id proves nothing");
    app.advance(time::Duration::minutes(5));
    store.next("rotate", Act::Meanwhile(|record| record.data = record.data.replace(":0", ":7")));
    fetch(&browser, "/proves");
    assert_eq!(signed_in(), format!("Some({})", app.clock.seconds()), "also when it met a conflict");
}

#[test]
fn rule_7_a_failed_logout_says_until_when_also_when_the_page_was_an_error_before() {
    let (store, app) = scripted("");
    let browser = app.browser();
    for path in ["/logout", "/logout/refused"] {
        fetch(&browser, "/login/ada");
        store.next("delete", Act::Fault);
        let answer = browser.get(path).dispatch();
        assert_eq!((answer.status(), set_cookies(&answer).len()), (Status::ServiceUnavailable, 1));
        assert!(answer.into_string().unwrap().starts_with("until "), "{path}");
    }
}

#[test]
fn rule_13_data_of_another_release_is_not_shown_in_the_log() {
    let (store, app) = scripted("");
    let browser = app.browser();
    fetch(&browser, "/visits");
    log::lines();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":"ada@example.com"}"#.into()));
    assert_eq!(browser.get("/note/4").dispatch().status(), Status::ServiceUnavailable);
    let lines = log::lines().join("\n");
    assert!(lines.contains("cannot encode or merge") && !lines.contains("ada@"), "{lines}");
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Shop {
    views: u64,
    /// Newer than the sessions that are about.
    #[serde(default)]
    cart: Vec<String>,
    #[serde(default)]
    map: HashMap<String, u32>,
}

impl SessionData for Shop {}

#[get("/visits")]
fn visits(session: Session<'_, Shop>) {
    session.update(|shop| shop.views += 1);
}

#[get("/nothing")]
fn nothing(session: Session<'_, Shop>) {
    session.update(|_| ());
}

fn shop(data: &str) -> (Arc<Scripted>, blocking::Client, String) {
    let (store, app) = scripted("");
    let kept = Record { data: data.into(), ..record(&app, 0) };
    let settings = "[default.session]\nstore = \"scripted\"";
    let sessions = Sessions::<Shop>::fairing().clock(app.clock.clone()).store("scripted", store.clone());
    let rocket = rocket::custom(App::figment(settings)).attach(sessions).mount("/", routes![visits, nothing]);
    rocket::execute(async { store.create(&kept, kept.seen + 1800).await }).unwrap();
    (store, blocking::Client::untracked(rocket).unwrap(), cookie_of(KEY, &kept.id))
}

#[test]
fn rule_9_a_field_that_is_new_in_this_release_is_no_change_of_mine() {
    let (store, browser, cookie) = shop(r#"{"views":2}"#);
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":2,"cart":["book"]}"#.into()));
    browser.get("/visits").header(Header::new("Cookie", cookie)).dispatch();
    let data: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
    assert_eq!((&data["views"], &data["cart"]), (&3.into(), &serde_json::json!(["book"])));
}

#[test]
fn rules_4_and_9_the_order_of_a_map_is_no_change() {
    let map = (0..8).map(|n| format!(r#""k{n}":1"#)).collect::<Vec<_>>().join(",");
    let data = format!(r#"{{"views":0,"cart":[],"map":{{{map}}}}}"#);
    for _ in 0..10 {
        let (store, browser, cookie) = shop(&data);
        store.calls();
        browser.get("/nothing").header(Header::new("Cookie", cookie.clone())).dispatch();
        assert_eq!(store.calls(), ["load"]);
        store.next(
            "update",
            Act::Meanwhile(|record| record.data = record.data.replace("\"k1\":1", "\"k1\":99")),
        );
        browser.get("/visits").header(Header::new("Cookie", cookie)).dispatch();
        let data: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
        assert_eq!((&data["views"], &data["map"]["k1"]), (&1.into(), &99.into()));
    }
}

//! Requests that meet: what comes late, what comes twice, and data that another release wrote.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rocket::http::{Header, Status};
use rocket::local::{asynchronous, blocking};
use rocket::tokio::sync::Notify;
use rocket::tokio::time::timeout;
use rocket::{State, get, routes};
use sealed_sessions::store::{Id, Record, Store};
use sealed_sessions::{Clock, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use world::KEY;

use crate::faulty::{Act, Faulty};
use crate::log;
use crate::site::{self, Visit};
use crate::support::{App, cookie_of, get as fetch, set_cookies};

const OLD_KEY: &str = "b2xkIGtleSBvbGQga2V5IG9sZCBrZXkgb2xkIGtleSE=";

pub fn faulty(settings: &str) -> (Arc<Faulty>, App) {
    let store = Faulty::new();
    let app = App::new(&format!("[default.session]\nstore = \"faulty\"\n{settings}"));
    (store.clone(), app.store("faulty", store))
}

pub fn record(app: &App, views: u64) -> Record {
    Record { data: format!(r#"{{"views":{views}}}"#), ..site::record(app.clock.seconds()) }
}

/// Where a late request and the one that overtakes it meet.
#[derive(Default)]
struct Gate {
    /// The late request has its session.
    loaded: Notify,
    /// The other one has been answered.
    answered: Notify,
}

/// Loads, and continues only after the next request has been answered.
#[get("/late/<what>")]
async fn late(session: Visit<'_>, what: &str, gate: &State<Gate>) -> String {
    gate.loaded.notify_one();
    gate.answered.notified().await;
    match what {
        "logout" => session.destroy(),
        "login" => session.sign_in(|visitor| visitor.user = Some("ada".into())),
        "visits" => session.update(|visitor| visitor.views += 1),
        _ => {}
    }
    session.get().views.to_string()
}

pub async fn gated(app: &App) -> asynchronous::Client {
    let rocket = app.rocket().mount("/", routes![late]).manage(Gate::default());
    asynchronous::Client::untracked(rocket).await.unwrap()
}

/// Answers `/late/{what}` after `other` has been answered, both with the same cookie.
pub async fn overtaken<'c>(
    browser: &'c asynchronous::Client,
    what: &str,
    other: &str,
    cookie: &str,
) -> (asynchronous::LocalResponse<'c>, asynchronous::LocalResponse<'c>) {
    let gate = browser.rocket().state::<Gate>().unwrap();
    let header = || Header::new("Cookie", cookie.to_owned());
    let slow = browser.get(format!("/late/{what}")).header(header()).dispatch();
    let fast = async {
        gate.loaded.notified().await;
        let answer = browser.get(other.to_owned()).header(header()).dispatch().await;
        gate.answered.notify_one();
        answer
    };
    rocket::tokio::join!(slow, fast)
}

#[rocket::async_test]
async fn rule_1_a_late_answer_seals_nothing_anew_that_was_renewed_meanwhile() {
    let (store, app) = faulty(&format!("previous_keys = [{OLD_KEY:?}]"));
    let old = record(&app, 1);
    store.keep(&old).await;
    let browser = gated(&app).await;
    let cookie = cookie_of(OLD_KEY, &old.id);
    let (late, login) = overtaken(&browser, "read", "/login/ada", &cookie).await;
    assert_eq!(login.headers().get("Set-Cookie").count(), 1);
    assert_eq!(late.headers().get("Set-Cookie").count(), 0, "it would sign the browser out");
}

#[rocket::async_test]
async fn rule_14_a_late_change_that_came_with_a_dead_cookie_takes_no_sign_in_away() {
    let (_, app) = faulty("");
    let browser = gated(&app).await;
    let dead = cookie_of(KEY, &Id::random().unwrap());
    let (late, login) = overtaken(&browser, "visits", "/login/ada", &dead).await;
    assert_eq!((login.status(), login.headers().get("Set-Cookie").count()), (Status::Ok, 1));
    assert_eq!((late.status(), late.headers().get("Set-Cookie").count()), (Status::Ok, 0));
}

#[rocket::async_test]
async fn l12_a_logout_ends_a_session_that_was_renewed_while_it_was_under_way() {
    let (store, app) = faulty("");
    let old = record(&app, 1);
    store.keep(&old).await;
    let browser = gated(&app).await;
    let (_, renewed) = overtaken(&browser, "logout", "/renew", &cookie_of(KEY, &old.id)).await;
    assert_eq!(store.records(), [], "the renewed one is ended too");
    let line = renewed.headers().get_one("Set-Cookie").unwrap();
    let cookie = Header::new("Cookie", line.split(';').next().unwrap().to_owned());
    let next = browser.get("/read").header(cookie).dispatch().await.into_string().await;
    assert_eq!(next.as_deref(), Some("0 Revoked"));
}

#[rocket::async_test]
async fn an_exclusive_session_holds_its_own_lock_also_beside_a_dead_cookie() {
    let (store, app) = faulty("");
    let (dead, live) = (Id::random().unwrap(), record(&app, 1));
    store.keep(&live).await;
    let browser = asynchronous::Client::untracked(app.rocket()).await.unwrap();
    let held = store.locks().unwrap().lock(&live.id.to_text()).await.unwrap();
    let cookies = format!("{}; {}", cookie_of(KEY, &dead), cookie_of(KEY, &live.id));
    let ask = || browser.get("/exclusive").header(Header::new("Cookie", cookies.clone())).dispatch();
    assert!(timeout(Duration::from_millis(50), ask()).await.is_err(), "another one holds the lock");
    drop(held);
    assert_eq!(ask().await.into_string().await.as_deref(), Some("true"));
}

#[rocket::async_test]
async fn the_store_is_asked_once_about_a_cookie_and_a_few_times_about_many() {
    let (store, app) = faulty("");
    let live = record(&app, 1);
    store.keep(&live).await;
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

#[test]
fn l13_only_a_proof_moves_the_time_of_the_sign_in() {
    let (store, app) = faulty("");
    let browser = app.browser();
    let signed_in = || fetch(&browser, "/all").split("signed_in=").nth(1).unwrap().to_owned();
    fetch(&browser, "/login/ada");
    let first = signed_in();
    app.advance(time::Duration::minutes(20));
    fetch(&browser, "/renew");
    assert_eq!(signed_in(), first, "a new id proves nothing");
    app.advance(time::Duration::minutes(5));
    store.next("renew", Act::Meanwhile(|record| record.data = record.data.replace(":0", ":7")));
    fetch(&browser, "/proves");
    assert_eq!(signed_in(), format!("Some({})", app.clock.seconds()), "also when it met a conflict");
}

#[test]
fn rule_7_a_failed_logout_says_until_when_also_when_the_page_was_an_error_before() {
    let (store, app) = faulty("");
    let browser = app.browser();
    for path in ["/logout", "/logout/refused"] {
        fetch(&browser, "/login/ada");
        store.next("delete", Act::Fault);
        let answer = browser.get(path).dispatch();
        assert_eq!((answer.status(), set_cookies(&answer).len()), (Status::ServiceUnavailable, 1));
        assert!(answer.into_string().unwrap().starts_with("until "), "{path}");
        let lines = log::lines().join("\n");
        assert!(lines.contains(", whose copy lives until 2027-"), "{lines}");
    }
}

#[test]
fn rule_13_data_of_another_release_is_not_shown_in_the_log() {
    let (store, app) = faulty("");
    let browser = app.browser();
    fetch(&browser, "/visits");
    log::lines();
    store.next("update", Act::Meanwhile(|record| record.data = r#"{"views":"ada@example.com"}"#.into()));
    assert_eq!(browser.get("/note/4").dispatch().status(), Status::InternalServerError);
    let lines = log::lines().join("\n");
    assert!(lines.contains("cannot encode or merge") && !lines.contains("ada@"), "{lines}");
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Shop {
    views: u64,
    /// Newer than the sessions in the store.
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

fn shop(data: &str) -> (Arc<Faulty>, blocking::Client, String) {
    let (store, app) = faulty("");
    let kept = Record { data: data.into(), ..record(&app, 0) };
    let settings = "[default.session]\nstore = \"faulty\"";
    let sessions = Sessions::<Shop>::fairing().clock(app.clock.clone()).store("faulty", store.clone());
    let rocket =
        rocket::custom(site::figment(settings)).attach(sessions).mount("/", routes![visits, nothing]);
    rocket::execute(store.keep(&kept));
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
fn rule_9_the_order_of_a_map_is_no_conflict() {
    let map = (0..8).map(|n| format!(r#""k{n}":1"#)).collect::<Vec<_>>().join(",");
    let data = format!(r#"{{"views":0,"cart":[],"map":{{{map}}}}}"#);
    for _ in 0..10 {
        let (store, browser, cookie) = shop(&data);
        store.next(
            "update",
            Act::Meanwhile(|record| record.data = record.data.replace("\"k1\":1", "\"k1\":99")),
        );
        browser.get("/visits").header(Header::new("Cookie", cookie)).dispatch();
        let data: serde_json::Value = serde_json::from_str(&store.records()[0].data).unwrap();
        assert_eq!((&data["views"], &data["map"]["k1"]), (&1.into(), &99.into()));
    }
}

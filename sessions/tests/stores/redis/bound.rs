//! The bound on anonymous sessions.

use std::sync::Arc;

use rocket::http::Cookie;
use rocket::local::asynchronous::Client;
use sealed_sessions::testing::ManualClock;
use time::{Duration, OffsetDateTime};
use world::{databases, wait_for};

use super::ask;
use crate::support::app;

/// The keys of this server that begin so, after `sessions:__Host-Http-session:`.
fn keys(port: u16, kind: &str) -> Vec<String> {
    ask(port, &format!("KEYS sessions:__Host-Http-session:{kind}:*"))
}

/// How many sessions there are, without the row that says whose the namespace is.
fn sessions(port: u16) -> usize {
    keys(port, "session").len() - 1
}

/// How many entries all subjects have.
fn entries(port: u16) -> i64 {
    keys(port, "subject").iter().map(|key| ask::<i64>(port, &format!("ZCARD {key}"))).sum()
}

async fn visitors(url: &str, max: usize, clock: &Arc<ManualClock>) -> Client {
    let settings = format!("max_anonymous_sessions = {max}\nsweep_interval = \"3650 days\"");
    Client::untracked(app(url, &settings, clock.clone())).await.unwrap()
}

async fn cookie(client: &Client, path: &'static str) -> Cookie<'static> {
    let answer = client.get(path).dispatch().await;
    answer.cookies().get("__Host-Http-session").cloned().unwrap().into_owned()
}

async fn reads(client: &Client, cookie: &Cookie<'static>) -> String {
    client.get("/read").cookie(cookie.clone()).dispatch().await.into_string().await.unwrap()
}

#[rocket::async_test]
async fn visitors_who_come_back_and_users_outlive_those_who_do_not() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc()));
    let client = visitors(&database.url(), 50, &clock).await;
    let (regular, user) = (cookie(&client, "/visits").await, cookie(&client, "/login/ada").await);
    for n in 1..=400 {
        client.get("/visits").dispatch().await;
        if n % 20 == 0 {
            clock.advance(Duration::minutes(1));
            assert_eq!(reads(&client, &regular).await, "1 Resumed", "after {n} others");
        }
    }
    assert_eq!(reads(&client, &user).await, "0 Resumed");
    wait_for("the bound to be kept", || (sessions(port) <= 56).then_some(()));
    assert!(sessions(port) >= 50, "{}", sessions(port));
    wait_for("no entry to be left behind", || (entries(port) == sessions(port) as i64).then_some(()));
    client.terminate().await;
}

/// Of a heap that has grown large before it was bounded.
#[rocket::async_test]
async fn a_large_heap_is_cut_down_to_the_newest() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc()));
    let before = visitors(&database.url(), 100_000, &clock).await;
    for n in 0..1300 {
        before.get("/visits").dispatch().await;
        if n % 100 == 0 {
            clock.advance(Duration::seconds(1));
        }
    }
    assert_eq!(sessions(port), 1300);
    clock.advance(Duration::seconds(1));
    let newest = cookie(&before, "/visits").await;
    before.terminate().await;
    let client = visitors(&database.url(), 20, &clock).await;
    clock.advance(Duration::seconds(1));
    for _ in 0..2 {
        client.get("/visits").dispatch().await;
    }
    wait_for("the bound to be kept", || (sessions(port) == 20).then_some(()));
    assert_eq!(reads(&client, &newest).await, "1 Resumed");
    client.terminate().await;
}

/// Redis has forgotten the rows, but not their entries. They are not counted, and go.
#[rocket::async_test]
async fn what_has_expired_takes_no_place() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc() - Duration::hours(2)));
    let client = visitors(&database.url(), 100, &clock).await;
    for _ in 0..95 {
        client.get("/visits").dispatch().await;
    }
    for key in keys(port, "session") {
        ask::<()>(port, &format!("DEL {key}"));
    }
    clock.advance(Duration::hours(2));
    for _ in 0..25 {
        client.get("/visits").dispatch().await;
    }
    wait_for("the entries to go", || (entries(port) <= 30).then_some(()));
    assert_eq!(keys(port, "session").len(), 25, "and nobody else");
    client.terminate().await;
}

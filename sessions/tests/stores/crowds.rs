//! Floods of visitors, and heaps of expired sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rocket::http::Cookie;
use rocket::local::asynchronous::Client;
use sealed_sessions::store::{self, Loaded, Over, Record, Store, Write};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Clock, SystemClock};
use time::OffsetDateTime;
use world::databases;

use crate::site::record;
use crate::support::{app, clock, new};

#[rocket::async_test]
async fn a_hundred_thousand_first_visits_evict_no_signed_in_session_from_memory() {
    let browser = Client::untracked(app("memory:1000", "", clock())).await.unwrap();
    let signed_in = browser.get("/login/ada").dispatch().await;
    let cookie: Cookie<'static> =
        signed_in.cookies().get("__Host-Http-session").cloned().unwrap().into_owned();
    drop(signed_in);
    for _ in 0..100_000 {
        browser.get("/visits").dispatch().await;
    }
    let answer = browser.get("/read").cookie(cookie).dispatch().await;
    assert_eq!(answer.into_string().await.as_deref(), Some("0 Resumed"));
}

#[rocket::async_test]
async fn anonymous_rows_are_gone_when_their_own_timeout_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/sessions.db", directory.path().display());
    // In the past, since a database does not sweep what expires later than its own clock says.
    let clock = Arc::new(ManualClock::at(OffsetDateTime::now_utc() - time::Duration::minutes(10)));
    let settings = "anonymous_idle_timeout = \"1 minute\"\nsweep_interval = \"3650 days\"";
    let browser = Client::untracked(app(&url, settings, clock.clone())).await.unwrap();
    browser.get("/login/ada").dispatch().await;
    for _ in 0..2500 {
        browser.get("/visits").dispatch().await;
    }
    let store = store::open(&url, "__Host-Http-session").unwrap();
    assert_eq!(store.service().unwrap().sweep(clock.seconds()).await.unwrap(), 0, "all of them live");
    clock.advance(time::Duration::minutes(1));
    let mut batches = Vec::new();
    while let swept @ 1.. = store.service().unwrap().sweep(clock.seconds()).await.unwrap() {
        batches.push(swept);
    }
    assert_eq!(batches, [1000, 1000, 500], "in batches, and the one that is signed in stays");
    browser.terminate().await;
}

#[rocket::async_test]
async fn what_has_expired_is_swept_while_the_app_runs_and_errors_do_not_end_it() {
    let Some(mut server) = databases::postgres() else { return };
    let store = store::open(&server.url(), "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let clock = clock();
    let settings = "sweep_interval = \"1 second\"\nstore_timeout = \"1 second\"";
    let browser = Client::untracked(app(&server.url(), settings, clock.clone())).await.unwrap();
    server.kill();
    // At least one round finds no server.
    rocket::tokio::time::sleep(Duration::from_millis(2500)).await;
    server.restart();
    let record = record(clock.seconds() - 7200);
    while store.save(&new(&record, record.seen + 60)).await.is_err() {}
    let deadline = Instant::now() + Duration::from_secs(30);
    // A read at a time when it was alive tells whether the row is still there.
    while let Loaded::Found(_) = store.load(&record.id.to_text(), record.seen).await.unwrap() {
        assert!(Instant::now() < deadline, "nobody sweeps any more");
        rocket::tokio::time::sleep(Duration::from_millis(100)).await;
    }
    browser.terminate().await;
}

/// The median time of a load and a touch.
async fn median(store: &dyn Store, live: &Record, now: i64) -> Duration {
    let mut times = Vec::new();
    for n in 0..200 {
        let begun = Instant::now();
        assert!(matches!(store.load(&live.id.to_text(), now).await.unwrap(), Loaded::Found(_)));
        let touched = Record { seen: now + n, ..live.clone() };
        store.save(&Write { over: Over::Touch, ..new(&touched, now + 7200) }).await.unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[rocket::async_test]
async fn a_million_expired_rows_do_not_slow_requests() {
    use sqlx::Connection as _;

    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/sessions.db", directory.path().display());
    let store = store::open(&url, "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let now = SystemClock.seconds();
    let live = record(now);
    store.save(&new(&live, now + 7200)).await.unwrap();
    let before = median(&*store, &live, now).await;

    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let heap = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
                INSERT INTO sealed_session_rows (id_hash, version, seen, expires, body)
                SELECT randomblob(32), 1, 0, 0, x'7b7d' FROM n";
    sqlx::query(heap).execute(&mut database).await.unwrap();
    let beside = median(&*store, &live, now).await;

    let sweeper = store::open(&url, "__Host-Http-session").unwrap();
    let sweeping = rocket::tokio::spawn(async move {
        let mut swept = 0;
        while let batch @ 1.. = sweeper.service().unwrap().sweep(now).await.unwrap() {
            swept += batch;
            rocket::tokio::time::sleep(Duration::from_millis(20)).await;
        }
        swept
    });
    let during = median(&*store, &live, now).await;
    println!(
        "load and touch, median: {before:?} before, {beside:?} beside a million rows, {during:?} while swept"
    );
    sweeping.abort();
    assert!(beside < before * 5 + Duration::from_millis(2), "{before:?} became {beside:?}");
    assert!(during < before * 20 + Duration::from_millis(20), "{before:?} became {during:?}");
}

#[rocket::async_test]
async fn of_several_processes_one_sweeps_at_a_time() {
    use sqlx::Connection as _;

    let Some(server) = databases::postgres() else { return };
    let store = store::open(&server.url(), "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let now = SystemClock.seconds();
    let expired = record(now - 7200);
    store.save(&new(&expired, expired.seen + 60)).await.unwrap();
    let mut database = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    let taken = "INSERT INTO sealed_session_leases VALUES ('sweep', 'another', 9000000000000)";
    sqlx::query(taken).execute(&mut database).await.unwrap();
    assert_eq!(store.service().unwrap().sweep(now).await.unwrap(), 0, "another one is at it");
    // It died holding the lease, which has expired now.
    sqlx::query("UPDATE sealed_session_leases SET expires = 0").execute(&mut database).await.unwrap();
    assert_eq!(store.service().unwrap().sweep(now).await.unwrap(), 1);
    store.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn one_subject_evicts_nobody_else_from_memory() {
    let browser = Client::untracked(app("memory:1000", "", clock())).await.unwrap();
    let login = async |user: &str| {
        let answer = browser.get(format!("/login/{user}")).dispatch().await;
        answer.cookies().get("__Host-Http-session").cloned().unwrap().into_owned()
    };
    let (bob, first) = (login("bob").await, login("ada").await);
    let mut last = first.clone();
    for _ in 0..2000 {
        last = login("ada").await;
    }
    let read = async |cookie: &Cookie<'static>| {
        browser.get("/read").cookie(cookie.clone()).dispatch().await.into_string().await.unwrap()
    };
    assert_eq!(read(&bob).await, "0 Resumed");
    assert_eq!(read(&first).await, "0 Revoked");
    assert_eq!(read(&last).await, "0 Resumed");
    let others = browser.get("/others").cookie(last).dispatch().await.into_string().await;
    assert_eq!(others.as_deref(), Some("Some(99)"), "a tenth of the room");
}

#[rocket::async_test]
async fn anonymous_sessions_in_memory_are_bounded_by_the_realms_setting() {
    let browser = Client::untracked(app("memory", "max_anonymous_sessions = 2", clock())).await.unwrap();
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let answer = browser.get("/visits").dispatch().await;
        cookies.push(answer.cookies().get("__Host-Http-session").cloned().unwrap().into_owned());
    }
    let mut arrivals = Vec::new();
    for cookie in cookies {
        arrivals.push(browser.get("/read").cookie(cookie).dispatch().await.into_string().await.unwrap());
    }
    assert_eq!(arrivals, ["0 Revoked", "1 Resumed", "1 Resumed"]);
}

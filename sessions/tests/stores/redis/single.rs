//! A server that restarts, hangs, is full, or holds what nobody here has written.

use std::time::{Duration, Instant};

use rocket::tokio::time::timeout;
use sealed_sessions::store::{Over, Record};
use world::{databases, wait_for};

use super::{ask, is_found, now, save, session_keys, started, updated, write};
use crate::site::record;

/// The next question is not the one that finds out.
#[rocket::async_test]
async fn a_restart_while_nobody_asks_is_noticed_at_once() {
    let Some(mut database) = databases::redis() else { return };
    let store = started(&database.url()).await;
    for _ in 0..3 {
        database.restart();
        // A question that is asked once: nothing covers up for it.
        store.service().unwrap().start().await.unwrap();
        let record = record(now());
        save(&*store, &record, Over::Nothing).await;
        save(&*store, &updated(&record), Over::Version(1)).await;
    }
    store.service().unwrap().stop().await;
}

/// The scripts of a server that was restarted, or told to forget them, are told anew.
#[rocket::async_test]
async fn a_server_that_forgot_the_scripts_is_told_again() {
    let Some(database) = databases::redis() else { return };
    let store = started(&database.url()).await;
    let mut record = record(now());
    save(&*store, &record, Over::Nothing).await;
    for _ in 0..3 {
        ask::<()>(database.ports()[0], "SCRIPT FLUSH");
        let next = updated(&record);
        save(&*store, &next, Over::Version(record.version)).await;
        record = next;
    }
    is_found(&*store, &record).await;
    store.service().unwrap().stop().await;
}

/// A connection that has gone silent is left behind also when everyone who asks gives up before it counts as silent.
#[rocket::async_test]
async fn a_silent_connection_is_replaced_when_its_callers_give_up() {
    let Some(mut database) = databases::redis() else { return };
    let port = database.ports()[0];
    let store = started(&database.url()).await;
    let record = record(now());
    save(&*store, &record, Over::Nothing).await;
    let connections = || {
        let list: String = ask(port, "CLIENT LIST TYPE normal");
        // Without the one that asks.
        let ours = list.lines().filter(|line| !line.contains("cmd=client"));
        ours.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let silent = connections();
    assert_eq!(silent.len(), 1, "all share one");
    database.pause();
    let ticket = record.id.to_text();
    assert!(timeout(Duration::from_millis(400), store.load(&ticket, record.seen)).await.is_err());
    database.resume();
    is_found(&*store, &record).await;
    wait_for("the silent connection to be closed", || {
        let now = connections();
        (now.len() == 1 && now != silent).then_some(())
    });
    store.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn a_hung_server_costs_two_seconds_and_is_found_again() {
    let Some(mut database) = databases::redis() else { return };
    let store = started(&database.url()).await;
    let record = record(now());
    save(&*store, &record, Over::Nothing).await;
    database.pause();
    let begun = Instant::now();
    let loaded = store.load(&record.id.to_text(), record.seen).await;
    assert!(matches!(loaded, Err(sealed_sessions::store::StoreError::TimedOut)), "{loaded:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    database.resume();
    is_found(&*store, &record).await;
    store.service().unwrap().stop().await;
}

/// What went wrong is logged, so it must not show what was written.
#[rocket::async_test]
async fn an_error_shows_no_value() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let store = started(&database.url()).await;
    let secret = Record { data: r#"{"note":"hunter2"}"#.to_owned(), ..record(now()) };
    save(&*store, &secret, Over::Nothing).await;
    let key = session_keys(port).concat();
    let mut errors = Vec::new();

    ask::<()>(port, "CONFIG SET maxmemory 1");
    errors.push(store.save(&write(&updated(&secret), Over::Version(1))).await.unwrap_err());
    errors.push(
        store.save(&write(&Record { id: record(0).id, ..secret.clone() }, Over::Nothing)).await.unwrap_err(),
    );
    is_found(&*store, &secret).await;
    ask::<()>(port, "CONFIG SET maxmemory 0");

    ask::<()>(port, &format!("SET {key} hunter2"));
    errors.push(store.load(&secret.id.to_text(), now()).await.unwrap_err());
    ask::<()>(port, &format!("DEL {key}"));
    ask::<()>(port, &format!("LPUSH {key} hunter2"));
    errors.push(store.load(&secret.id.to_text(), now()).await.unwrap_err());
    errors.push(store.save(&write(&updated(&secret), Over::Version(1))).await.unwrap_err());

    ask::<()>(port, "ACL SETUSER default -get -evalsha");
    errors.push(store.load(&secret.id.to_text(), now()).await.unwrap_err());
    errors.push(store.save(&write(&updated(&secret), Over::Version(1))).await.unwrap_err());
    for (error, code) in errors.iter().zip([
        "OOM",
        "OOM",
        "not as it was written",
        "WRONGTYPE",
        "WRONGTYPE",
        "NOPERM",
        "NOPERM",
    ]) {
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(code), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains(&key), "{shown}");
    }
    store.service().unwrap().stop().await;
}

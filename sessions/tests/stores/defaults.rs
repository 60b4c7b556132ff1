//! Servers whose defaults are not ours.

use std::sync::Arc;

use rocket::futures::future::join_all;
use rocket::tokio;
use sealed_sessions::store::{self, Over, Record, StoreError, Write, Written};
use sealed_sessions::{Clock, SystemClock};
use world::databases::{self, Database};

use crate::site::record;
use crate::support::{browser, get, new, text};

/// At another isolation level, changes of one session that meet would fail.
async fn changes_that_meet_are_answered(mut server: Database, arguments: &[&str]) {
    server.restart_with(arguments);
    answers_changes_that_meet(&server.url()).await;
}

async fn answers_changes_that_meet(url: &str) {
    let browser = browser(url, "lock_timeout = \"1 minute\"\nstore_timeout = \"1 minute\"").await;
    get(&browser, "/visits").await;
    for _ in 0..4 {
        let answers =
            join_all((0..64).map(|n| get(&browser, if n % 2 == 0 { "/visits" } else { "/read" }))).await;
        let failed: Vec<_> =
            answers.iter().map(|answer| answer.status().code).filter(|code| *code != 200).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
    assert!(text(&browser, "/read").await.ends_with(" Resumed"));
    browser.terminate().await;
    one_of_many_writes_is_kept(url).await;
}

/// Of many writes over one version, one is kept and the others are told that it is stale: none is an error.
async fn one_of_many_writes_is_kept(url: &str) {
    let store = store::open(url, "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let now = SystemClock.seconds();
    let record = record(now);
    store.save(&new(&record, now + 60)).await.unwrap();
    for version in 1..20 {
        let writes = (0..16).map(|n| {
            let store = Arc::clone(&store);
            let next = Record { version: version + 1, data: format!("{{\"by\":{n}}}"), ..record.clone() };
            tokio::spawn(async move {
                store.save(&Write { over: Over::Version(version), ..new(&next, now + 60) }).await
            })
        });
        let written: Vec<_> =
            join_all(writes).await.into_iter().map(|write| write.unwrap().unwrap()).collect();
        let stale = written.iter().filter(|written| **written == Written::Stale).count();
        assert_eq!(stale, 15, "version {version}");
    }
    store.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn a_serializable_postgres_keeps_its_sessions_read_committed() {
    let Some(server) = databases::postgres() else { return };
    changes_that_meet_are_answered(server, &["-c", "default_transaction_isolation=serializable"]).await;
}

#[rocket::async_test]
async fn a_postgres_of_repeatable_reads_keeps_its_sessions_read_committed() {
    let Some(server) = databases::postgres() else { return };
    changes_that_meet_are_answered(server, &["-c", "default_transaction_isolation=repeatable read"]).await;
}

#[rocket::async_test]
async fn a_serializable_mariadb_without_autocommit_keeps_its_sessions() {
    let Some(server) = databases::mariadb() else { return };
    changes_that_meet_are_answered(server, &["--transaction-isolation=SERIALIZABLE", "--autocommit=OFF"])
        .await;
}

#[rocket::async_test]
async fn a_pool_of_sessions_before_postgres_is_used() {
    let Some(server) = databases::postgres() else { return };
    let Some(pool) = databases::pgbouncer(&server, "session") else { return };
    answers_changes_that_meet(&pool.url()).await;
}

#[rocket::async_test]
async fn a_pool_that_changes_servers_with_each_transaction_is_refused_with_the_reason() {
    let Some(server) = databases::postgres() else { return };
    let Some(pool) = databases::pgbouncer(&server, "transaction") else { return };
    let store = store::open(&pool.url(), "__Host-Http-session").unwrap();
    let refused = store.service().unwrap().start().await;
    let Err(StoreError::Refused(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("pool_mode = session") && reason.contains("max_prepared_statements"), "{reason}");
}

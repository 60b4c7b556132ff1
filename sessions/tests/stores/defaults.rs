//! Servers whose defaults are not ours.

use rocket::futures::future::join_all;
use sealed_sessions::store::{self, StoreError};
use world::databases::{self, Database};

use crate::support::{browser, get, text};

/// At another isolation level, changes of one session that meet would fail.
async fn changes_that_meet_are_answered(mut server: Database, arguments: &[&str]) {
    server.restart_with(arguments);
    answers_changes_that_meet(&server.url()).await;
}

async fn answers_changes_that_meet(url: &str) {
    let browser = browser(url, "lock_timeout = \"1 minute\"").await;
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

//! What a database loses or will not have: connections, leases of the dead, rows that are too large.

use rocket::futures::future::join_all;
use sealed_sessions::store::{self, Loaded, Record, StoreError};
use sealed_sessions::{Clock, SystemClock};
use sqlx::{Connection as _, Executor as _};
use world::databases::{self, Database};

use crate::site::record;
use crate::support::{browser, get, new, text};

/// The next requests find connections that were used a moment ago and are closed.
async fn a_restart_is_not_noticed(mut server: Database) {
    let browser = browser(&server.url(), "").await;
    get(&browser, "/visits").await;
    // As many connections as there may be.
    join_all((0..32).map(|_| get(&browser, "/read"))).await;
    server.restart();
    assert_eq!(text(&browser, "/read").await, "1 Resumed");
    assert_eq!(text(&browser, "/visits").await, "2");
    browser.terminate().await;
}

#[rocket::async_test]
async fn a_restart_of_postgres_between_two_requests_is_not_noticed() {
    let Some(server) = databases::postgres() else { return };
    a_restart_is_not_noticed(server).await;
}

#[rocket::async_test]
async fn a_restart_of_mariadb_between_two_requests_is_not_noticed() {
    let Some(server) = databases::mariadb() else { return };
    a_restart_is_not_noticed(server).await;
}

#[rocket::async_test]
async fn a_restart_of_nx_27017_between_two_requests_is_not_noticed() {
    let Some(server) = databases::nx_27017() else { return };
    a_restart_is_not_noticed(server).await;
}

/// Whatever is asked first afterwards.
async fn connections_that_are_ended_are_not_noticed(url: &str, end: impl AsyncFn() -> usize) {
    let browser = browser(url, "").await;
    get(&browser, "/visits").await;
    for path in ["/read", "/visits", "/login/ada", "/exclusive", "/others", "/logout"] {
        join_all((0..32).map(|_| get(&browser, "/read"))).await;
        assert!(end().await > 0);
        assert_eq!(get(&browser, path).await.status().code, 200, "{path}");
    }
    browser.terminate().await;
}

#[rocket::async_test]
async fn connections_that_an_operator_of_postgres_ends_are_not_noticed() {
    let Some(server) = databases::postgres() else { return };
    let end = async || {
        let mut operator = sqlx::PgConnection::connect(&server.url()).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                   WHERE usename = 'sessions' AND pid <> pg_backend_pid()";
        sqlx::query(end).fetch_all(&mut operator).await.unwrap().len()
    };
    connections_that_are_ended_are_not_noticed(&server.url(), end).await;
}

#[rocket::async_test]
async fn connections_that_an_operator_of_mariadb_ends_are_not_noticed() {
    let Some(server) = databases::mariadb() else { return };
    let end = async || {
        let mut operator = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
        let all =
            "SELECT id FROM information_schema.processlist WHERE user = 'sessions' AND id <> connection_id()";
        let all: Vec<i64> = sqlx::query_scalar(all).fetch_all(&mut operator).await.unwrap();
        for id in &all {
            sqlx::query("KILL ?").bind(id).execute(&mut operator).await.unwrap();
        }
        all.len()
    };
    connections_that_are_ended_are_not_noticed(&server.url(), end).await;
}

/// Others have the rest of the server's connections: the app gets by on what it has.
#[rocket::async_test]
async fn a_crowd_is_served_while_mariadb_has_no_more_connections() {
    let Some(mut server) = databases::mariadb() else { return };
    server.restart_with(&["--max-connections=10"]);
    let browser = browser(&server.url(), "").await;
    get(&browser, "/visits").await;
    let mut others = Vec::new();
    while let Ok(other) = sqlx::MySqlConnection::connect(&server.url()).await {
        others.push(other);
    }
    for _ in 0..4 {
        let answers = join_all((0..64).map(|_| get(&browser, "/read"))).await;
        assert!(answers.iter().all(|answer| answer.status().code == 200));
    }
    browser.terminate().await;
}

/// A logout that does not get through says so.
#[rocket::async_test]
async fn a_session_whose_row_another_holds_in_mariadb_is_not_said_to_have_ended() {
    let Some(mut server) = databases::mariadb() else { return };
    server.restart_with(&["--innodb-lock-wait-timeout=0"]);
    let store = store::open(&server.url(), "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let now = SystemClock.seconds();
    let session = record(now);
    store.save(&new(&session, now + 60)).await.unwrap();
    let mut holder = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    holder.execute("START TRANSACTION").await.unwrap();
    holder.execute("SELECT * FROM sealed_session_rows FOR UPDATE").await.unwrap();
    let ended = store.delete(&session.id.to_text()).await;
    assert!(ended.is_err(), "it lives on");
    holder.execute("ROLLBACK").await.unwrap();
    store.delete(&session.id.to_text()).await.unwrap();
    assert_eq!(store.load(&session.id.to_text(), now).await.unwrap(), Loaded::Missing);
    store.service().unwrap().stop().await;
}

/// A row that a server will never take is no passing fault, and leaves the store well.
async fn a_row_is_refused(url: &str, bytes: usize) {
    let store = store::open(url, "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let now = SystemClock.seconds();
    let large = Record { data: format!("{{\"note\":{:?}}}", "n".repeat(bytes)), ..record(now) };
    let refused = store.save(&new(&large, now + 60)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    let small = record(now);
    store.save(&new(&small, now + 60)).await.unwrap();
    store.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn a_row_above_max_allowed_packet_is_refused() {
    let Some(mut server) = databases::mariadb() else { return };
    server.restart_with(&["--max-allowed-packet=1M"]);
    for bytes in [1_100_000, 5_000_000, 40_000_000] {
        a_row_is_refused(&server.url(), bytes).await;
    }
}

#[rocket::async_test]
async fn a_document_above_16_megabytes_is_refused() {
    for server in [databases::mongoeco(), databases::nx_27017()].into_iter().flatten() {
        a_row_is_refused(&server.url(), 17_000_000).await;
    }
}

/// Its lack shows at the start, where what is not there is made.
#[rocket::async_test]
async fn a_file_of_an_older_version_gets_the_table_of_leases() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("sessions.db").display());
    let [first, second] = [(); 2].map(|()| store::open(&url, "__Host-Http-session").unwrap());
    first.service().unwrap().start().await.unwrap();
    let old = record(SystemClock.seconds());
    first.save(&new(&old, old.seen + 1800)).await.unwrap();
    first.service().unwrap().stop().await;
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    other.execute("DROP TABLE sealed_session_leases").await.unwrap();
    other.close().await.unwrap();
    second.service().unwrap().start().await.unwrap();
    second.locks().unwrap().lock(&old.id.to_text()).await.unwrap();
    assert_eq!(second.load(&old.id.to_text(), old.seen).await.unwrap(), Loaded::Found(old));
    second.service().unwrap().stop().await;
}

#[rocket::async_test]
async fn the_leases_of_dead_processes_are_swept() {
    let Some(server) = databases::postgres() else { return };
    let store = store::open(&server.url(), "__Host-Http-session").unwrap();
    store.service().unwrap().start().await.unwrap();
    let mut database = sqlx::PgConnection::connect(&server.url()).await.unwrap();
    let lease =
        "INSERT INTO sealed_session_leases VALUES ('dead', 'holder', 0), ('alive', 'holder', 9000000000000)";
    sqlx::query(lease).execute(&mut database).await.unwrap();
    store.service().unwrap().sweep(SystemClock.seconds()).await.unwrap();
    let left = "SELECT name FROM sealed_session_leases WHERE name <> 'sweep'";
    let left: Vec<Vec<u8>> = sqlx::query_scalar(left).fetch_all(&mut database).await.unwrap();
    assert_eq!(left, [b"alive"]);
    store.service().unwrap().stop().await;
}

//! The contract, on every store.

use std::sync::Arc;

use sealed_sessions::session::{Store, conformance, open_store};

use crate::servers;

const REALM: &str = "__Host-session";

async fn passes(url: &str) {
    let store = open_store(url, REALM).unwrap();
    store.start().await.unwrap();
    let report = conformance::check(&store).await;
    store.stop().await;
    assert!(report.passed(), "{url}\n{report}");
}

#[rocket::async_test]
async fn memory_keeps_the_contract() {
    passes("memory").await;
}

#[rocket::async_test]
async fn sqlite_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    passes(&format!("sqlite:{}/new/sessions.db", directory.path().display())).await;
}

#[rocket::async_test]
async fn postgres_keeps_the_contract() {
    let Some(server) = servers::postgres() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn mysql_keeps_the_contract() {
    let Some(server) = servers::mariadb() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn redis_keeps_the_contract() {
    let Some(server) = servers::redis() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn a_redis_cluster_keeps_the_contract() {
    let Some(server) = servers::redis_cluster() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn redis_behind_sentinels_keeps_the_contract() {
    let Some(server) = servers::redis_sentinel() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn mongoeco_keeps_the_contract() {
    let Some(server) = servers::mongoeco() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn nx_27017_keeps_the_contract() {
    let Some(server) = servers::nx_27017() else { return };
    passes(&server.url()).await;
}

#[rocket::async_test]
async fn the_cookie_store_keeps_what_of_the_contract_it_can() {
    let store: Arc<dyn Store> = open_store("cookie", REALM).unwrap();
    let report = conformance::check(&store).await;
    assert!(report.failures().count() > 10, "a cookie cannot keep it: {report}");
}

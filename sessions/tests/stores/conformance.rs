//! The contract, on every store.

use std::sync::Arc;

use sealed_sessions::conformance;
use sealed_sessions::store::{self, Store};
use world::on_every_store;

const REALM: &str = "__Host-session";

async fn keeps_the_contract(url: &str) {
    let store = store::open(url, REALM).unwrap();
    store.start().await.unwrap();
    let report = conformance::check(&store).await;
    store.stop().await;
    assert!(report.passed(), "{url}\n{report}");
}

on_every_store!(keeps_the_contract);

#[rocket::async_test]
async fn a_cookie_store_cannot_keep_it() {
    let store: Arc<dyn Store> = store::open("cookie", REALM).unwrap();
    let report = conformance::check(&store).await;
    assert!(report.failures().count() > 10, "{report}");
}

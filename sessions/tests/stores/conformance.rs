//! The contract, on every store.

use std::sync::Arc;

use sealed_sessions::{Store, conformance, open_store};

use crate::every::on_every_store;

const REALM: &str = "__Host-session";

async fn keeps_the_contract(url: &str) {
    let store = open_store(url, REALM).unwrap();
    store.start().await.unwrap();
    let report = conformance::check(&store).await;
    store.stop().await;
    assert!(report.passed(), "{url}\n{report}");
}

on_every_store!(keeps_the_contract);

#[rocket::async_test]
async fn a_cookie_store_cannot_keep_it() {
    let store: Arc<dyn Store> = open_store("cookie", REALM).unwrap();
    let report = conformance::check(&store).await;
    assert!(report.failures().count() > 10, "{report}");
}

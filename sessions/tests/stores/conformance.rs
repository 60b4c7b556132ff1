//! The contract, on every store.

use std::sync::Arc;

use sealed_sessions::conformance;
use sealed_sessions::store::{self, Loaded, Store, StoreError, UnixSeconds, Write, Written};
use world::on_every_store;

const REALM: &str = "__Host-Http-session";

async fn keeps_the_contract(url: &str) {
    let store = store::open(url, REALM).unwrap();
    store.service().unwrap().start().await.unwrap();
    let report = conformance::check(&store).await;
    store.service().unwrap().stop().await;
    assert!(report.passed(), "{url}\n{report}");
}

on_every_store!(keeps_the_contract);

/// A store that can do no more than it must.
struct ThreeVerbs(Arc<dyn Store>);

#[rocket::async_trait]
impl Store for ThreeVerbs {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        self.0.load(ticket, now).await
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.0.save(write).await
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.0.delete(ticket).await
    }
}

#[rocket::async_test]
async fn a_store_without_facets_can_keep_it() {
    let store: Arc<dyn Store> = Arc::new(ThreeVerbs(store::open("memory", REALM).unwrap()));
    let report = conformance::check(&store).await;
    assert!(report.passed(), "{report}");
}

#[rocket::async_test]
async fn a_cookie_store_cannot_keep_it() {
    let store: Arc<dyn Store> = store::open("cookie", REALM).unwrap();
    let report = conformance::check(&store).await;
    assert!(report.failures().count() > 10, "{report}");
}

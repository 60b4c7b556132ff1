//! What an app puts around its stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rocket::figment::providers::{Format, Toml};
use rocket::local::asynchronous::Client;
use rocket::{get, routes};
use sealed_sessions::ledger::MemoryLog;
use sealed_sessions::store::{Loaded, Service, Store, StoreError, UnixSeconds, Write, Written};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Realms, Sessions};
use time::OffsetDateTime;

use crate::node::{Browser, Node, figment};
use crate::site::{self, Visitor};

/// Counts what is found and what is not.
struct Counted {
    store: Arc<dyn Store>,
    found: Arc<AtomicUsize>,
    missing: Arc<AtomicUsize>,
}

#[rocket::async_trait]
impl Store for Counted {
    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let loaded = self.store.load(ticket, now).await?;
        match &loaded {
            Loaded::Found(_) => self.found.fetch_add(1, Ordering::SeqCst),
            _ => self.missing.fetch_add(1, Ordering::SeqCst),
        };
        Ok(loaded)
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        self.store.save(write).await
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.store.delete(ticket).await
    }

    fn service(&self) -> Option<&dyn Service> {
        self.store.service()
    }
}

#[get("/ledgers")]
fn ledgers(realms: Realms<'_, Visitor>) -> String {
    ["/", "/other"].map(|path| realms.has_ledger(path).to_string()).join(" ")
}

async fn start(settings: &str, found: &Arc<AtomicUsize>, missing: &Arc<AtomicUsize>) -> Node {
    let clock = Arc::new(ManualClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()));
    let (found, missing) = (Arc::clone(found), Arc::clone(missing));
    let sessions = Sessions::fairing()
        .clock(clock.clone())
        .log("shared", Arc::new(MemoryLog::default()))
        .wrap_store(move |store| {
            Arc::new(Counted { store, found: Arc::clone(&found), missing: Arc::clone(&missing) })
        });
    let rocket =
        site::rocket(figment("").merge(Toml::string(settings)), sessions).mount("/", routes![ledgers]);
    Node { client: Client::untracked(rocket).await.unwrap(), clock }
}

#[rocket::async_test]
async fn what_wraps_a_store_sees_what_the_ledger_says() {
    let (found, missing) = (Arc::default(), Arc::default());
    let node = start("", &found, &missing).await;
    let mut ada = Browser::of(&node, "ada").await;
    let copy = ada.clone();
    let before = found.load(Ordering::SeqCst);
    assert_eq!(copy.status(&node).await, 200);
    assert_eq!((found.load(Ordering::SeqCst), missing.load(Ordering::SeqCst)), (before + 1, 0));
    ada.posts(&node, "/logout", "").await;
    assert_eq!(copy.status(&node).await, 401);
    assert_eq!(missing.load(Ordering::SeqCst), 1);
}

#[rocket::async_test]
async fn a_page_can_tell_which_realms_have_a_ledger() {
    let node = start("", &Arc::default(), &Arc::default()).await;
    assert_eq!(Browser::default().gets(&node, "/ledgers").await, "true false");
    let without = start("[session]\nrevocation = \"none\"", &Arc::default(), &Arc::default()).await;
    assert_eq!(Browser::default().gets(&without, "/ledgers").await, "false false");
}

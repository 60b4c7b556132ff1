//! A setting of the ledger that makes no sense refuses the launch.

use crate::node::{Browser, Node, figment};
use crate::watched::Watched;

#[rocket::async_test]
async fn rule_12_a_wrong_ledger_is_named_with_what_is_accepted() {
    let log = Watched::new();
    let shared = |settings: &str| figment(settings).merge(("session.revocation", "shared"));
    let with = |revocation: &str| figment("").merge(("session.revocation", revocation));
    for (figment, named) in [
        (with("floppy:"), ["session.revocation", "floppy", "\"memory\""]),
        (with("memory:here"), ["session.revocation", "no address", "\"none\""]),
        (with(""), ["session.revocation", "names no ledger", "\"shared\""]),
        (shared("store = \"mine:x\""), ["session.store", "mine", "\"cookie\""]),
        (
            shared("revocation_max_age = \"1 second\""),
            ["session.revocation_max_age", "1 second", "10 minutes"],
        ),
        (shared("max_sessions = 2"), ["session.max_sessions", "is 2", "1 with revocation"]),
        (
            shared("max_sessions = 1\nbeyond_max_sessions = \"refuse\""),
            ["session.beyond_max_sessions", "refuse", "\"end_oldest\""],
        ),
        (shared("revocation_max_age = 10"), ["session.revocation_max_age", "10", "\"10 seconds\""]),
        (
            shared(
                "[session.realms.\"/a\"]\ncookie = \"a\"\nnamespace = \"n\"\n[session.realms.\"/b\"]\ncookie = \"b\"\nnamespace = \"n\"",
            ),
            ["realms.\"/b\".namespace", "\"n\"", "same ledger"],
        ),
    ] {
        let refused = Node::try_start(&log, figment).await.err().unwrap();
        for part in named {
            assert!(refused.contains(part), "{part:?} is not in {refused}");
        }
    }
}

#[cfg(feature = "memory")]
#[rocket::async_test]
async fn rule_12_a_ledger_beside_a_server_store_refuses_the_launch_unless_it_is_turned_off() {
    let log = Watched::new();
    let refused = Node::try_start(&log, figment("store = \"memory\"")).await.err().unwrap();
    for part in ["session.revocation", "\"memory\"", "\"none\""] {
        assert!(refused.contains(part), "{part:?} is not in {refused}");
    }
    let off = figment("store = \"memory\"").merge(("session.revocation", "none"));
    assert!(Node::try_start(&log, off).await.is_ok());
}

#[rocket::async_test]
async fn the_ledger_in_memory_is_there_without_a_feature() {
    let log = Watched::new();
    let memory = figment("").merge(("session.revocation", "memory"));
    let node = Node::try_start(&log, memory).await.unwrap();
    let mut ada = Browser::of(&node, "ada").await;
    let copy = ada.clone();
    ada.posts(&node, "/logout", "").await;
    assert_eq!(copy.status(&node).await, 401);
    assert!(log.calls().is_empty());
}

//! How long an entry is kept, and what a node says of what it knows.

use rocket::http::Status;
use sealed_sessions::Clock;
use sealed_sessions::ledger::Log;
use time::Duration;

use crate::node::{Browser, Node};
use crate::watched::Watched;

const SETTINGS: &str = "idle_timeout = \"1 hour\"\nabsolute_timeout = \"12 hours\"\n\
     remember_idle_timeout = \"14 days\"\nremember_absolute_timeout = \"30 days\"";
const HOUR: i64 = 60 * 60;
/// The clocks of two nodes may differ by a minute each way.
const SKEW: i64 = 120;

#[rocket::async_test]
async fn an_entry_is_kept_for_as_long_as_a_copy_of_its_session_could_live() {
    let log = Watched::new();
    let node = Node::start_with(&log, SETTINGS, Duration::ZERO).await;
    let began = node.clock.seconds();
    let mut ada = Browser::of(&node, "ada").await;
    for (path, after, until) in [
        // Until the session ends by its absolute timeout, whenever it was last used.
        ("/renew", 600, began + 12 * HOUR),
        ("/logout", 1200, began + 12 * HOUR),
    ] {
        node.clock.advance(Duration::seconds(began + after - node.clock.seconds()));
        node.catches_up().await;
        ada.posts(&node, path, "").await;
        let kept = log.page().await.lines.last().unwrap().1.until;
        assert_eq!(kept - until, SKEW, "{path}");
    }
    let mut bob = Browser::of(&node, "bob").await;
    bob.posts(&node, "/others/end", "").await;
    // Of a subject's sessions the longest is one that is remembered.
    let kept = log.page().await.lines.iter().map(|(_, line)| line.until).max().unwrap();
    assert_eq!(kept - node.clock.seconds(), 30 * 24 * HOUR + SKEW);
}

/// An id is kept for as long as its copies live, so those that live longer have another.
#[rocket::async_test]
async fn l6_a_copy_that_was_remembered_after_the_sign_in_is_dead_after_the_logout_for_as_long_as_it_would_live()
 {
    let log = Watched::new();
    let node = Node::start_with(&log, SETTINGS, Duration::ZERO).await;
    let mut ada = Browser::of(&node, "ada").await;
    let (mut remembered, before) = (ada.clone(), ada.clone());
    assert_eq!(remembered.posts(&node, "/remember", "").await, Status::Ok);
    assert_eq!((remembered.status(&node).await, before.status(&node).await), (200, 401));
    let once = remembered.cookie.clone();
    assert_eq!(remembered.posts(&node, "/remember", "").await, Status::Ok);
    assert_eq!(remembered.cookie, once, "it is remembered already");
    assert_eq!(ada.posts(&node, "/logout", "").await, Status::Ok);
    assert_eq!(remembered.who(&node).await, "nobody  Revoked");
    node.clock.advance(Duration::hours(13));
    log.inner().forget(node.clock.seconds()).await.unwrap();
    let late = Node::start_with(&log, SETTINGS, Duration::hours(13)).await;
    assert_eq!(remembered.who(&late).await, "nobody  Revoked");
}

#[rocket::async_test]
async fn a_node_says_how_much_it_knows_and_how_old_that_is() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut visitor = Browser::default();
    let (first, _) = log.page().await.lines[0];
    let said = visitor.gets(&node, "/ledger").await;
    assert!(said.contains(&format!("position: Some({first}), entries: 1,")), "{said}");
    let mut ada = Browser::of(&node, "ada").await;
    ada.posts(&node, "/logout", "").await;
    let (last, _) = *log.page().await.lines.last().unwrap();
    let said = visitor.gets(&node, "/ledger").await;
    let entries = last - first + 1;
    assert!(said.contains(&format!("position: Some({last}), entries: {entries},")), "{said}");
    log.set_away(true);
    node.clock.advance(Duration::seconds(7));
    let said = visitor.gets(&node, "/ledger").await;
    assert!(said.ends_with(" Some(7)"), "{said}");
}

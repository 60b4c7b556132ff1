//! An ordinary request asks nobody.

use rocket::http::Status;

use crate::node::{Browser, Node};
use crate::watched::Watched;

#[rocket::async_test]
async fn ordinary_requests_do_no_io_and_the_others_as_little_as_they_can() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    log.calls();
    let mut visitor = Browser::default();
    let mut ada = Browser::of(&node, "ada").await;
    log.calls();
    let no_calls: [&str; 0] = [];
    for n in 0..1000 {
        visitor.gets(&node, "/who").await;
        visitor.gets(&node, "/form").await;
        ada.gets(&node, "/who").await;
        ada.gets(&node, "/private").await;
        if n % 100 == 0 {
            visitor.gets(&node, "/add/apple").await;
            ada.gets(&node, "/add/apple").await;
        }
    }
    assert_eq!(log.calls(), no_calls, "reading and changing");
    ada.posts(&node, "/read", "").await;
    assert_eq!(log.calls(), no_calls, "an unsafe method of somebody who is signed in");
    let mut copy = ada.clone();
    ada.posts(&node, "/logout", "").await;
    assert_eq!(log.asked(), ["append"], "a logout");
    assert_eq!(copy.status(&node).await, 401);
    assert_eq!(log.calls(), no_calls, "a dead copy");
    assert_eq!(copy.posts(&node, "/renew", "").await, Status::Ok);
    assert_eq!(log.calls(), ["read"], "an unsafe method of a visitor");
    let mut bob = Browser::default();
    bob.signs_in(&node, "bob").await;
    assert_eq!(log.asked(), ["read", "append"], "a sign-in");
    bob.posts(&node, "/others/end", "").await;
    assert_eq!(log.asked(), ["read", "append", "append"], "the end of the others, and a renewal");
}

#[rocket::async_test]
async fn visitors_who_come_together_share_a_reading() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    log.slow_down(true);
    log.calls();
    let posts = (0..50).map(|_| async { Browser::default().posts(&node, "/read", "").await });
    let statuses = rocket::futures::future::join_all(posts).await;
    assert!(statuses.iter().all(|status| *status == Status::Ok));
    let calls = log.calls().len();
    assert!(calls <= 2, "{calls} readings for 50 visitors");
}

#[rocket::async_test]
async fn a_session_sealed_by_a_node_that_is_ahead_is_served_without_asking() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut bob = Browser::of(&one, "bob").await;
    bob.posts(&one, "/logout", "").await;
    let ada = Browser::of(&one, "ada").await;
    log.calls();
    assert_eq!(ada.status(&other).await, 200);
    assert!(log.calls().is_empty());
}

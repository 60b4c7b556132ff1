//! With a ledger a long response stops as soon as its node knows that the session has ended.

use std::time::Duration as StdDuration;

use rocket::http::Status;
use rocket::local::asynchronous::LocalResponse;
use rocket::tokio::io::AsyncReadExt as _;
use rocket::tokio::join;
use rocket::tokio::time::timeout;
use time::Duration;

use crate::node::{Browser, Node};
use crate::watched::Watched;

async fn begun<'n>(node: &'n Node, browser: &Browser) -> LocalResponse<'n> {
    let mut response = browser.opens(node, "/live").await;
    let mut begun = [0; 6];
    response.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"begun ");
    response
}

/// What a response says in the end, while this is done.
async fn end(response: LocalResponse<'_>, done: impl Future<Output = ()>) -> String {
    let end = timeout(StdDuration::from_secs(60), response.into_string());
    let (end, ()) = join!(end, done);
    end.expect("it ends").unwrap()
}

#[rocket::async_test]
async fn a_long_response_ends_with_the_logout_although_no_clock_moves() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for (path, expected) in [
        ("/logout", "Ok(Revoked)"),
        ("/end/ada", "Ok(Revoked)"),
        ("/end/everyone", "Ok(Revoked)"),
        ("/end/label/sid:1", "Ok(Revoked)"),
        ("/renew", "Ok(Superseded)"),
        ("/again", "Ok(Superseded)"),
    ] {
        let mut ada = Browser::of(&node, "ada").await;
        ada.gets(&node, "/label/sid:1").await;
        let response = begun(&node, &ada).await;
        let end = end(response, async { assert_eq!(ada.posts(&node, path, "").await, Status::Ok) });
        assert_eq!(end.await, expected, "{path}");
    }
}

#[rocket::async_test]
async fn a_long_response_ends_when_its_node_hears_of_a_logout_on_another() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut ada = Browser::of(&one, "ada").await;
    let response = begun(&other, &ada).await;
    let end = end(response, async {
        ada.posts(&one, "/logout", "").await;
        other.catches_up().await;
    });
    assert_eq!(end.await, "Ok(Revoked)");
}

#[rocket::async_test]
async fn a_long_response_that_waits_asks_nobody() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    let mut bob = Browser::of(&node, "bob").await;
    log.calls();
    let response = begun(&node, &ada).await;
    let end = end(response, async {
        for _ in 0..10 {
            node.clock.advance(Duration::seconds(1));
            rocket::tokio::task::yield_now().await;
        }
        assert!(log.calls().is_empty());
        bob.posts(&node, "/logout", "").await;
        rocket::tokio::task::yield_now().await;
        assert_eq!(log.asked(), ["append"], "of the logout");
        ada.posts(&node, "/logout", "").await;
    });
    assert_eq!(end.await, "Ok(Revoked)");
}

#[rocket::async_test]
async fn a_long_response_ends_when_the_ledger_is_away_for_too_long() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    let mut bob = Browser::of(&node, "bob").await;
    let response = begun(&node, &ada).await;
    log.set_away(true);
    let end = end(response, async {
        node.clock.advance(Duration::seconds(11));
        // Its failure is news: the node looks at what it knows, which is too old.
        assert_eq!(bob.posts(&node, "/logout", "").await, Status::ServiceUnavailable);
        rocket::tokio::task::yield_now().await;
        node.clock.advance(Duration::seconds(5));
    });
    assert_eq!(end.await, "Err(Unavailable)");
    log.set_away(false);
    assert_eq!(ada.posts(&node, "/logout", "").await, Status::Ok);
}

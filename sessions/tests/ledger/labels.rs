//! Sessions that are ended by a label: an identity provider's session, a tenant, a device.

use rocket::http::Status;

use crate::node::{Browser, Node};
use crate::watched::Watched;

/// A browser whose user has signed in with these labels.
async fn labelled(node: &Node, user: &str, labels: &[&str]) -> Browser {
    let mut browser = Browser::of(node, user).await;
    for label in labels {
        browser.gets(node, &format!("/label/{label}")).await;
    }
    browser
}

/// What an identity provider does, which brings no cookie.
async fn end(node: &Node, label: &str) {
    let mut provider = Browser::default();
    assert_eq!(provider.posts(node, &format!("/end/label/{label}"), "").await, Status::Ok);
    assert_eq!(provider.cookie, None, "it gets no session");
}

#[rocket::async_test]
async fn a_label_ends_the_sessions_that_have_it_on_every_node_and_no_others() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let ended = [
        labelled(&one, "ada", &["sid:1"]).await,
        labelled(&one, "bob", &["tenant:7", "sid:1"]).await,
        labelled(&other, "ada", &["a", "b", "c", "sid:1"]).await,
    ];
    let going_on = [
        labelled(&one, "ada", &["sid:2"]).await,
        labelled(&one, "sid:1", &[]).await,
        labelled(&other, "carol", &["sid:10"]).await,
    ];
    end(&one, "sid:1").await;
    other.catches_up().await;
    for node in [&one, &other] {
        for browser in &ended {
            assert!(browser.who(node).await.starts_with("nobody"), "{}", browser.who(node).await);
            assert!(browser.who(node).await.ends_with(" Revoked"));
        }
        for browser in &going_on {
            assert_eq!(browser.status(node).await, 200);
        }
    }
}

#[rocket::async_test]
async fn a_sign_in_after_the_end_goes_on_with_the_same_label() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = labelled(&node, "ada", &["device:3"]).await;
    end(&node, "device:3").await;
    assert_eq!(ada.status(&node).await, 401);
    ada.signs_in(&node, "ada").await;
    ada.gets(&node, "/label/device:3").await;
    assert_eq!(ada.status(&node).await, 200);
}

#[rocket::async_test]
async fn a_label_ends_no_anonymous_session() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut visitor = Browser::default();
    visitor.gets(&node, "/label/tenant:7").await;
    end(&node, "tenant:7").await;
    assert_eq!(visitor.who(&node).await, "nobody  Resumed");
}

#[rocket::async_test]
async fn l12_a_slow_answer_brings_no_session_back_that_a_label_has_ended() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for slow in ["add", "renew", "others"] {
        let mut ada = labelled(&node, "ada", &["sid:1"]).await;
        let ending = async {
            node.meets().await;
            end(&node, "sid:1").await;
            node.meets().await;
        };
        let path = format!("/slow/{slow}");
        rocket::tokio::join!(ada.posts(&node, &path, ""), ending);
        assert_ne!(ada.status(&node).await, 200, "{slow}");
    }
}

#[rocket::async_test]
async fn a_label_that_the_log_has_lost_is_put_back_from_memory() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (copy, before) = (labelled(&node, "ada", &["sid:1"]).await, log.page().await);
    let bob = Browser::of(&node, "bob").await;
    end(&node, "sid:1").await;
    log.restore(&before).await;
    node.catches_up().await;
    let late = Node::start(&log).await;
    for node in [&node, &late] {
        assert_eq!((copy.status(node).await, bob.status(node).await), (401, 200));
    }
}

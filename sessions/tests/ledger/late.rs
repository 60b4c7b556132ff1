//! A slow response brings nothing back, and takes nothing away.

use rocket::http::Status;

use crate::node::{Browser, Node};
use crate::watched::Watched;

#[rocket::async_test]
async fn a_slow_response_after_the_logout_sets_no_cookie() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for what in ["add", "renew", "again"] {
        let mut ada = Browser::of(&node, "ada").await;
        let mut late = ada.clone();
        let slow = format!("/slow/{what}");
        rocket::tokio::join!(late.posts(&node, &slow, ""), async {
            node.meets().await;
            ada.posts(&node, "/logout", "").await;
            late_copy_is_dead(&node, &ada).await;
            node.meets().await;
        });
        assert_eq!(late.status(&node).await, 401, "{what}");
    }
}

async fn late_copy_is_dead(node: &Node, ada: &Browser) {
    assert_eq!(ada.cookie, None);
    assert_eq!(ada.status(node).await, 401);
}

#[rocket::async_test]
async fn a_slow_response_after_a_logout_everywhere_sets_no_cookie() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for what in ["add", "renew", "again", "read"] {
        let mut ada = Browser::of(&node, "ada").await;
        let mut late = Browser::of(&node, "ada").await;
        let before = late.cookie.clone();
        let slow = format!("/slow/{what}");
        rocket::tokio::join!(late.posts(&node, &slow, ""), async {
            node.meets().await;
            assert_eq!(ada.posts(&node, "/others/end", "").await, Status::Ok);
            node.meets().await;
        });
        assert_eq!(late.cookie, before, "{what}");
        assert_eq!(late.status(&node).await, 401, "{what}");
    }
}

#[rocket::async_test]
async fn a_slow_touch_after_the_logout_sets_no_cookie() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    node.clock.advance(time::Duration::minutes(5));
    let mut late = ada.clone();
    let before = late.cookie.clone();
    rocket::tokio::join!(late.posts(&node, "/slow/read", ""), async {
        node.meets().await;
        ada.posts(&node, "/logout", "").await;
        node.meets().await;
    });
    assert_eq!(late.cookie, before);
}

#[rocket::async_test]
async fn a_logout_that_was_entered_counts_although_its_answer_was_lost() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut ada = Browser::of(&one, "ada").await;
    let copy = ada.clone();
    log.lose_answers(true);
    assert_eq!(ada.posts(&one, "/logout", "").await, Status::ServiceUnavailable);
    log.lose_answers(false);
    for node in [&one, &other] {
        node.catches_up().await;
        assert_eq!(copy.status(node).await, 401);
    }
}

#[rocket::async_test]
async fn a_session_too_large_to_be_sent_under_a_new_id_leaves_the_old_one_alive() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    assert_eq!(ada.posts(&node, "/large", "").await, Status::InternalServerError);
    assert_eq!(ada.status(&node).await, 200);
}

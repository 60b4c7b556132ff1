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

/// A session that was ended while its request was under way neither comes back by it nor ends what was signed in since.
#[rocket::async_test]
async fn l9_the_end_of_the_others_by_a_session_that_was_ended_meanwhile_ends_it_and_not_its_owners() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    for (how, ending, ended_on) in [
        ("by its owner", "/others/end", &one),
        ("by its owner, on a node that lags behind", "/others/end", &other),
        ("by an operator", "/end/ada", &one),
        ("with everyone's", "/end/everyone", &other),
    ] {
        let (mut ada, mut thief) = (Browser::of(ended_on, "ada").await, Browser::of(&one, "ada").await);
        let copy = thief.clone();
        rocket::tokio::join!(thief.posts(&one, "/slow/others", ""), async {
            one.meets().await;
            assert_eq!(ada.posts(ended_on, ending, "").await, Status::Ok);
            if ada.status(ended_on).await != 200 {
                ada.signs_in(ended_on, "ada").await;
            }
            one.meets().await;
        });
        other.catches_up().await;
        for node in [&one, &other] {
            assert_eq!((thief.status(node).await, ada.status(node).await), (401, 200), "{how}");
        }
        assert_eq!(thief.cookie, copy.cookie, "{how}");
    }
}

/// What is entered just before its own entry is known to no node before.
#[rocket::async_test]
async fn l9_a_session_that_ends_its_others_does_not_outlive_an_end_that_was_entered_just_before() {
    for ending in ["/end/ada", "/end/everyone", "/end/label/sid:1", "/logout"] {
        let log = Watched::new();
        let node = Node::start(&log).await;
        let mut thief = Browser::of(&node, "ada").await;
        thief.gets(&node, "/label/sid:1").await;
        let before = log.page().await;
        thief.clone().posts(&node, ending, "").await;
        let (_, entry) = log.page().await.lines.pop().unwrap();
        node.stop().await;
        log.restore(&before).await;
        let node = Node::start(&log).await;
        log.before_the_next(entry);
        assert_eq!(thief.posts(&node, "/others/end", "").await, Status::Ok);
        assert_eq!(thief.status(&node).await, 401, "{ending}");
    }
}

#[rocket::async_test]
async fn who_proves_who_they_are_and_ends_the_others_goes_on_although_the_session_was_renewed_meanwhile() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    let mut tab = ada.clone();
    rocket::tokio::join!(ada.posts(&node, "/slow/proven%20others", ""), async {
        node.meets().await;
        tab.posts(&node, "/renew", "").await;
        node.meets().await;
    });
    assert_eq!((ada.status(&node).await, tab.status(&node).await), (200, 401));
}

#[rocket::async_test]
async fn who_ends_the_others_and_lets_somebody_else_sign_in_does_not_save_them_from_an_earlier_end() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for (meanwhile, expected) in [("/end/carol", "bob  Resumed"), ("/end/bob", "nobody  Revoked")] {
        for mut browser in [Browser::of(&node, "ada").await, Browser::default()] {
            let slow = browser.posts(&node, "/slow/ada,%20then%20bob", "");
            let (status, ()) = rocket::tokio::join!(slow, async {
                node.meets().await;
                // Bob's password has been checked by now.
                Browser::default().posts(&node, meanwhile, "").await;
                node.meets().await;
            });
            assert_eq!((status, &*browser.who(&node).await), (Status::Ok, expected), "{meanwhile}");
        }
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

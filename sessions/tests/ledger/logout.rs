//! What has ended is dead, also its copies.

use rocket::http::Status;
use time::Duration;

use crate::node::{Browser, Node};
use crate::watched::Watched;

#[rocket::async_test]
async fn a_copy_of_a_cookie_is_dead_after_the_logout_on_every_node() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut ada = Browser::of(&one, "ada").await;
    let copy = ada.clone();
    assert_eq!(copy.status(&other).await, 200);
    assert_eq!(ada.posts(&one, "/logout", "").await, Status::Ok);
    assert_eq!(ada.cookie, None);
    assert_eq!(copy.status(&one).await, 401, "at once");
    other.catches_up().await;
    assert_eq!(copy.status(&other).await, 401);
    assert_eq!(copy.who(&other).await, "nobody  Revoked");
    let late = Node::start(&log).await;
    assert_eq!(copy.status(&late).await, 401, "a node that starts later knows it too");
}

#[rocket::async_test]
async fn an_older_and_a_newer_copy_die_with_the_logout_too() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    let older = ada.clone();
    ada.gets(&node, "/add/apple").await;
    let mut newer = ada.clone();
    newer.gets(&node, "/add/pear").await;
    ada.posts(&node, "/logout", "").await;
    for copy in [older, newer] {
        assert_eq!(copy.status(&node).await, 401);
    }
}

#[rocket::async_test]
async fn the_cookie_from_before_a_renewal_is_dead() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    for path in ["/renew", "/again"] {
        let mut ada = Browser::of(&one, "ada").await;
        let before = ada.clone();
        ada.posts(&one, path, "").await;
        other.catches_up().await;
        for node in [&one, &other] {
            assert_eq!(ada.status(node).await, 200, "{path}");
            assert_eq!(before.status(node).await, 401, "{path}");
            assert_eq!(before.who(node).await, "nobody  Superseded", "{path}");
            node.clock.advance(Duration::seconds(61));
            assert_eq!(before.who(node).await, "nobody  Revoked", "{path}");
        }
    }
}

#[rocket::async_test]
async fn ending_the_other_sessions_leaves_the_caller_alone_signed_in() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut all = Vec::new();
    for n in 0..100 {
        all.push(Browser::of(if n % 2 == 0 { &one } else { &other }, "ada").await);
    }
    let bob = Browser::of(&one, "bob").await;
    let mut ada = all.pop().unwrap();
    let before = ada.clone();
    assert_eq!(ada.posts(&other, "/others/end", "").await, Status::Ok);
    one.catches_up().await;
    for node in [&one, &other] {
        for copy in all.iter().chain([&before]) {
            assert_eq!(copy.status(node).await, 401);
        }
        assert_eq!((ada.status(node).await, bob.status(node).await), (200, 200));
    }
    // It can do so again.
    assert_eq!(ada.clone().gets(&one, "/others").await, "None", "a ledger lists nothing");
    assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
    assert_eq!(ada.status(&one).await, 200);
}

#[rocket::async_test]
async fn l9_who_signs_in_by_a_reset_of_the_password_and_ends_the_others_goes_on_alone() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    for who in ["nobody", "bob"] {
        let (thief, bob) = (Browser::of(&other, "ada").await, Browser::of(&one, "bob").await);
        let mut browser = Browser::default();
        if who == "bob" {
            browser.signs_in(&one, "bob").await;
        }
        assert_eq!(browser.posts(&one, "/reset/ada", "").await, Status::Ok);
        other.catches_up().await;
        for node in [&one, &other] {
            assert_eq!((thief.status(node).await, bob.status(node).await), (401, 200), "{who}");
            assert!(browser.who(node).await.starts_with("ada"), "{who}");
        }
    }
}

#[rocket::async_test]
async fn who_ends_the_others_again_ends_those_too_that_were_signed_in_meanwhile() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    for mut browser in [Browser::default(), Browser::of(&node, "ada").await] {
        let (_, meanwhile) = rocket::tokio::join!(browser.posts(&node, "/slow/reset", ""), async {
            for _ in 0..3 {
                node.meets().await;
            }
            let meanwhile = Browser::of(&node, "ada").await;
            node.meets().await;
            meanwhile
        });
        assert_eq!((browser.status(&node).await, meanwhile.status(&node).await), (200, 401));
    }
}

#[rocket::async_test]
async fn the_app_can_end_the_sessions_of_anyone_and_of_everyone() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut admin = Browser::of(&one, "admin").await;
    let (ada, bob) = (Browser::of(&one, "ada").await, Browser::of(&other, "bob").await);
    admin.posts(&one, "/end/ada", "").await;
    other.catches_up().await;
    for node in [&one, &other] {
        let statuses = [ada.status(node).await, bob.status(node).await, admin.status(node).await];
        assert_eq!(statuses, [401, 200, 200]);
    }
    admin.posts(&one, "/end/everyone", "").await;
    other.catches_up().await;
    for node in [&one, &other] {
        assert_eq!((bob.status(node).await, admin.status(node).await), (401, 401));
        assert_eq!(Browser::of(node, "ada").await.status(node).await, 200);
    }
}

#[rocket::async_test]
async fn entries_are_forgotten_when_what_they_ended_would_be_over() {
    let log = Watched::new();
    let node = Node::start_with(&log, "sweep_interval = \"1 second\"", Duration::ZERO).await;
    let mut ada = Browser::of(&node, "ada").await;
    let copy = ada.clone();
    ada.posts(&node, "/logout", "").await;
    Browser::of(&node, "bob").await;
    let before = log.page().await.lines.len();
    assert_eq!(before, 4, "the beginning, two sign-ins and a logout");
    node.clock.advance(Duration::hours(12) + Duration::seconds(121));
    // The first is for everyone, whose sessions may be remembered; and the last stays for its position.
    while log.page().await.lines.len() > 2 {
        // The time has to be the same for a while.
        node.clock.advance(Duration::minutes(1));
        rocket::tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(copy.who(&node).await, "nobody  Expired(Idle)");
}

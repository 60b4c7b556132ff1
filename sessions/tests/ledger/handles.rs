//! Sessions that an operator ends by their handles, which logs and lists show.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::http::Status;
use sealed_sessions::Sessions;
use sealed_sessions::ledger::Log;
use sealed_sessions::operator::RealmOperator;
use time::Duration;

use crate::node::{Browser, Node, figment};
use crate::site::Visitor;
use crate::watched::Watched;

/// A program beside the nodes, with this log.
async fn operator(log: &Arc<impl Log>, node: &Node) -> RealmOperator {
    operator_with(figment(""), log, node).await
}

async fn operator_with(settings: Figment, log: &Arc<impl Log>, node: &Node) -> RealmOperator {
    let sessions = Sessions::<Visitor>::fairing().clock(node.clock.clone()).log("shared", log.clone());
    let operator = sessions.operators(&settings).unwrap().remove(0);
    operator.start().await.unwrap();
    operator
}

async fn handle(browser: &Browser, node: &Node) -> String {
    browser.clone().gets(node, "/handle").await
}

async fn end(operator: &RealmOperator, handle: &str) {
    assert_eq!(
        operator.end_session(&handle.parse().unwrap()).await.unwrap(),
        None,
        "a ledger does not count"
    );
}

#[rocket::async_test]
async fn a_session_ends_by_its_handle_on_every_node_and_no_other_does() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let (ada, phone) = (Browser::of(&one, "ada").await, Browser::of(&other, "ada").await);
    let bob = Browser::of(&one, "bob").await;
    end(&operator(&log, &one).await, &handle(&ada, &one).await).await;
    one.catches_up().await;
    other.catches_up().await;
    let late = Node::start(&log).await;
    let again = Browser::of(&late, "ada").await;
    for node in [&one, &other, &late] {
        let statuses = [ada.status(node).await, phone.status(node).await, bob.status(node).await];
        assert_eq!(statuses, [401, 200, 200]);
        assert_eq!((ada.who(node).await, again.status(node).await), ("nobody  Revoked".into(), 200));
    }
}

#[rocket::async_test]
async fn what_a_session_has_become_since_its_handle_was_shown_ends_too() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let ways = ["a program", "the node that renewed it", "another node"];
    for (ended_by, minutes) in ways.into_iter().zip([2, 4, 6]) {
        let (mut ada, bob) = (Browser::of(&one, "ada").await, Browser::of(&one, "bob").await);
        let shown = handle(&ada, &one).await;
        for path in ["/renew", "/again"] {
            ada.posts(&one, path, "").await;
        }
        // Longer than a node remembers what a session has become.
        for node in [&one, &other] {
            node.clock.advance(Duration::minutes(2));
            node.catches_up().await;
        }
        assert_eq!(ada.status(&one).await, 200);
        let path = format!("/end/handle/{shown}");
        match ended_by {
            "a program" => end(&operator(&log, &one).await, &shown).await,
            "another node" => assert_eq!(Browser::default().posts(&other, &path, "").await, Status::Ok),
            _ => assert_eq!(Browser::default().posts(&one, &path, "").await, Status::Ok),
        }
        one.catches_up().await;
        other.catches_up().await;
        let late = Node::start_with(&log, "", Duration::minutes(minutes)).await;
        for node in [&one, &other, &late] {
            assert_eq!((ada.status(node).await, bob.status(node).await), (401, 200), "{ended_by}");
        }
    }
}

#[rocket::async_test]
async fn l12_a_slow_answer_of_a_node_that_does_not_know_it_yet_does_not_save_a_session() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let operator = operator(&log, &one).await;
    for slow in ["renew", "again", "login"] {
        let mut ada = Browser::of(&one, "ada").await;
        let (copy, shown) = (ada.clone(), handle(&ada, &one).await);
        let path = format!("/slow/{slow}");
        let (status, ()) = rocket::tokio::join!(ada.posts(&other, &path, ""), async {
            other.meets().await;
            // The session is loaded. Its end is not known to this node before it renews the session.
            end(&operator, &shown).await;
            other.meets().await;
        });
        assert_eq!((status, &ada.cookie), (Status::Ok, &copy.cookie), "{slow}: no new cookie is sent");
        let logged = format!("session {shown} was ended while a request changed it");
        assert!(crate::log::lines().iter().any(|line| line.contains(&logged)), "the log has the same handle");
        one.catches_up().await;
        for node in [&one, &other] {
            assert_eq!(ada.status(node).await, 401, "{slow}");
        }
        assert_eq!(Browser::of(&other, "ada").await.status(&one).await, 200);
    }
}

#[rocket::async_test]
async fn a_handle_from_before_a_rotation_of_the_keys_is_known_too() {
    let log = Watched::new();
    let new_key = "gU9c0xAjqMVe4LOvVlyGxY2ZV0n8tFk3sTtyGdZqkWI=";
    let node = Node::start(&log).await;
    let (ada, mut phone) = (Browser::of(&node, "ada").await, Browser::of(&node, "ada").await);
    let (shown, shown_of_phone) = (handle(&ada, &node).await, handle(&phone, &node).await);
    let settings = figment(&format!("previous_keys = [{:?}]", world::KEY)).merge(("secret_key", new_key));
    let rotated = Node::try_start(&log, settings.clone()).await.unwrap();
    assert_ne!(handle(&ada, &rotated).await, shown);
    // One that was renewed since, too.
    phone.posts(&rotated, "/again", "").await;
    assert_eq!((ada.status(&rotated).await, phone.status(&rotated).await), (200, 200));
    let operator = operator_with(settings, &log, &node).await;
    for shown in [shown, shown_of_phone] {
        end(&operator, &shown).await;
    }
    rotated.catches_up().await;
    assert_eq!((ada.status(&rotated).await, phone.status(&rotated).await), (401, 401));
}

#[rocket::async_test]
async fn a_log_that_has_lost_such_an_entry_gets_it_back() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let (ada, bob) = (Browser::of(&one, "ada").await, Browser::of(&one, "bob").await);
    let before = log.page().await;
    end(&operator(&log, &one).await, &handle(&ada, &one).await).await;
    one.catches_up().await;
    log.restore(&before).await;
    one.catches_up().await;
    other.catches_up().await;
    let late = Node::start(&log).await;
    for node in [&one, &other, &late] {
        assert_eq!((ada.status(node).await, bob.status(node).await), (401, 200));
    }
}

//! With a ledger somebody can have one session: a sign-in ends the others (L18; ASVS 5.0, 7.1.2).

use rocket::futures::future::join_all;
use rocket::http::Status;
use time::Duration;

use crate::node::{Browser, Node};
use crate::watched::Watched;

/// Two nodes of a log, the second a minute ahead.
async fn pair() -> (Node, Node) {
    let log = Watched::new();
    let one = Node::start_with(&log, "max_sessions = 1", Duration::ZERO).await;
    (one, Node::start_with(&log, "max_sessions = 1", Duration::minutes(1)).await)
}

async fn alive(node: &Node, browsers: &[Browser]) -> Vec<bool> {
    node.catches_up().await;
    let statuses = join_all(browsers.iter().map(|browser| browser.status(node))).await;
    statuses.into_iter().map(|status| status == 200).collect()
}

#[rocket::async_test]
async fn a_sign_in_ends_the_one_before_on_every_node() {
    let (one, other) = pair().await;
    let mut browsers = Vec::new();
    for node in [&one, &other, &other, &one] {
        browsers.push(Browser::of(node, "ada").await);
    }
    let bob = Browser::of(&one, "bob").await;
    for node in [&one, &other] {
        assert_eq!(alive(node, &browsers).await, [false, false, false, true]);
        assert_eq!(bob.status(node).await, 200, "somebody else's");
    }
}

#[rocket::async_test]
async fn of_twenty_sign_ins_at_once_one_session_is_left() {
    let (one, other) = pair().await;
    let sign_ins = (0..20).map(|n| Browser::of(if n % 2 == 0 { &one } else { &other }, "ada"));
    let browsers = join_all(sign_ins).await;
    for node in [&one, &other] {
        let alive = alive(node, &browsers).await;
        assert_eq!(alive.iter().filter(|alive| **alive).count(), 1, "{alive:?}");
    }
}

#[rocket::async_test]
async fn a_second_click_is_no_second_session() {
    let (one, other) = pair().await;
    let mut visitor = Browser::default();
    let token = visitor.gets(&one, "/form").await;
    let mut clicks = [visitor.clone(), visitor.clone(), visitor];
    for (click, node) in clicks.iter_mut().zip([&one, &one, &other]) {
        let body = format!("csrf_token={token}&user=ada");
        assert_eq!(click.posts(node, "/login", &body).await, Status::Ok);
        assert_eq!(click.status(node).await, 200, "by the answer that the browser shows");
    }
    assert_eq!(alive(&one, &clicks).await, [false, false, true]);
}

#[rocket::async_test]
async fn a_new_id_and_a_sign_in_again_end_nobody_not_even_on_a_node_that_lags_behind() {
    let (one, other) = pair().await;
    let mut ada = Browser::of(&one, "ada").await;
    for path in ["/again", "/renew", "/again"] {
        assert_eq!(ada.posts(&other, path, "").await, Status::Ok, "{path}");
        for node in [&one, &other] {
            assert_eq!(alive(node, std::slice::from_ref(&ada)).await, [true], "{path}");
        }
    }
}

#[rocket::async_test]
async fn a_login_on_the_old_password_that_ends_after_its_change_is_dead_here_too() {
    let (one, other) = pair().await;
    let mut thief = Browser::default();
    thief.gets(&other, "/form").await;
    let mut ada = Browser::of(&one, "ada").await;
    let (status, ()) = rocket::tokio::join!(thief.posts(&other, "/slow/login", ""), async {
        other.meets().await;
        assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
        other.meets().await;
    });
    assert_eq!(status, Status::Ok);
    assert_eq!(thief.status(&other).await, 401);
    let phone = Browser::of(&other, "ada").await;
    let (_, ()) = rocket::tokio::join!(thief.posts(&other, "/slow/login", ""), async {
        other.meets().await;
        Browser::default().posts(&other, "/end/ada", "").await;
        ada.signs_in(&other, "ada").await;
        other.meets().await;
    });
    let statuses = [thief.status(&other).await, phone.status(&other).await, ada.status(&other).await];
    assert_eq!(statuses, [401, 401, 200], "it has ended nobody who has signed in since");
}

/// What an identity provider has signed out is not signed in by what was under way.
#[rocket::async_test]
async fn l18_a_proof_that_was_under_way_when_a_label_ended_its_session_does_not_bring_it_back() {
    let (one, other) = pair().await;
    for ended_on in [&one, &other] {
        let mut ada = Browser::of(&one, "ada").await;
        ada.gets(&one, "/label/sid:1").await;
        let (status, ()) = rocket::tokio::join!(ada.posts(&one, "/slow/again", ""), async {
            one.meets().await;
            Browser::default().posts(ended_on, "/end/label/sid:1", "").await;
            one.meets().await;
        });
        assert_eq!(status, Status::Ok);
        other.catches_up().await;
        assert_eq!((ada.status(&one).await, ada.status(&other).await), (401, 401));
    }
}

#[rocket::async_test]
async fn rule_7_a_sign_in_too_large_to_be_sent_ends_nobody() {
    let (one, _) = pair().await;
    let phone = Browser::of(&one, "ada").await;
    let (nobody, mut visitor, bob) = (Browser::default(), Browser::default(), Browser::of(&one, "bob").await);
    visitor.gets(&one, "/add/apple").await;
    for mut browser in [nobody, visitor, bob, phone.clone()] {
        let before = browser.cookie.clone();
        assert_eq!(browser.posts(&one, "/large/ada", "").await, Status::InternalServerError);
        assert_eq!(browser.cookie, before);
        assert_eq!(phone.status(&one).await, 200);
    }
}

#[rocket::async_test]
async fn a_sign_in_that_cannot_be_entered_is_503_and_ends_nobody() {
    let log = Watched::new();
    let node = Node::start_with(&log, "max_sessions = 1", Duration::ZERO).await;
    let ada = Browser::of(&node, "ada").await;
    let mut visitor = Browser::default();
    let token = visitor.gets(&node, "/form").await;
    let before = visitor.cookie.clone();
    log.set_away(true);
    let status = visitor.posts(&node, "/login", &format!("csrf_token={token}&user=ada")).await;
    assert_eq!((status, &visitor.cookie), (Status::ServiceUnavailable, &before));
    log.set_away(false);
    assert_eq!(ada.status(&node).await, 200);
}

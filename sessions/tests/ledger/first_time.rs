//! Rule 14 holds with a ledger too: a sign-in works the first time.

use rocket::http::Status;
use time::Duration;

use crate::node::{Browser, Node};
use crate::watched::Watched;

/// A visitor who has opened the form and put something in the cart, and the form's token.
async fn visitor(node: &Node) -> (Browser, String) {
    let mut visitor = Browser::default();
    let token = visitor.gets(node, "/form").await;
    visitor.gets(node, "/add/apple").await;
    (visitor, format!("csrf_token={token}&user=ada"))
}

#[rocket::async_test]
async fn rule_14_who_clicks_twice_is_signed_in_by_either_answer_with_the_cart() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start_with(&log, "", Duration::minutes(1)).await);
    let (visitor, form) = visitor(&one).await;
    for node in [&one, &one, &other, &one, &other] {
        let mut click = visitor.clone();
        assert_eq!(click.posts(node, "/login", &form).await, Status::Ok);
        for node in [&one, &other] {
            assert_eq!(click.who(node).await, "ada apple Resumed");
        }
    }
}

#[rocket::async_test]
async fn rule_14_two_clicks_at_the_same_moment_are_both_signed_in() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let (visitor, _) = visitor(&one).await;
    let (mut first, mut second) = (visitor.clone(), visitor.clone());
    rocket::tokio::join!(
        first.posts(&one, "/slow/login", ""),
        second.posts(&other, "/slow/login", ""),
        async {
            one.meets().await;
            other.meets().await;
            one.meets().await;
            other.meets().await;
        }
    );
    for click in [first, second] {
        for node in [&one, &other] {
            assert_eq!(click.who(node).await, "ada apple Resumed");
        }
    }
}

#[rocket::async_test]
async fn rule_14_after_a_lost_answer_the_form_opens_again_and_works_at_once() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (mut visitor, form) = visitor(&node).await;
    visitor.clone().posts(&node, "/login", &form).await;
    // The answer never came: the browser still has the old cookie.
    assert_eq!(visitor.who(&node).await, "nobody apple Superseded");
    visitor.signs_in(&node, "ada").await;
    assert_eq!(visitor.who(&node).await, "ada apple Resumed");
}

#[rocket::async_test]
async fn rule_14_the_answer_of_the_log_may_be_lost_as_well() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (mut visitor, form) = visitor(&node).await;
    log.lose_answers(true);
    assert_eq!(visitor.posts(&node, "/login", &form).await, Status::ServiceUnavailable);
    log.lose_answers(false);
    assert_eq!(visitor.posts(&node, "/login", &form).await, Status::Ok);
    assert_eq!(visitor.who(&node).await, "ada apple Resumed");
}

#[rocket::async_test]
async fn rule_14_a_superseded_cookie_sets_and_keeps_nothing_and_its_logout_ends_what_it_became() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let (visitor, form) = visitor(&one).await;
    let (mut first, mut second) = (visitor.clone(), visitor.clone());
    first.posts(&one, "/login", &form).await;
    second.posts(&other, "/login", &form).await;
    let mut old = visitor.clone();
    old.gets(&one, "/add/pear").await;
    assert_eq!(old.cookie, visitor.cookie, "no cookie is set");
    assert_eq!(first.who(&one).await, "ada apple Resumed", "nothing of it is kept");
    old.posts(&one, "/logout", "").await;
    other.catches_up().await;
    for node in [&one, &other] {
        assert_eq!((first.status(node).await, second.status(node).await), (401, 401));
    }
}

#[rocket::async_test]
async fn rule_14_a_minute_later_the_old_cookie_is_dead_and_a_dead_one_can_be_signed_in_with() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (mut visitor, form) = visitor(&node).await;
    visitor.clone().posts(&node, "/login", &form).await;
    node.clock.advance(Duration::seconds(61));
    assert_eq!(visitor.who(&node).await, "nobody  Revoked");
    visitor.signs_in(&node, "ada").await;
    assert_eq!(visitor.who(&node).await, "ada  Resumed");
}

#[rocket::async_test]
async fn rule_14_a_late_anonymous_answer_does_not_replace_a_sign_in_over_the_same_dead_cookie() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    let dead = ada.clone();
    ada.posts(&node, "/logout", "").await;
    let (mut late, mut signed_in) = (dead.clone(), dead.clone());
    rocket::tokio::join!(late.posts(&node, "/slow/add", ""), async {
        node.meets().await;
        signed_in.posts(&node, "/token/ada", "").await;
        node.meets().await;
    });
    assert_eq!(signed_in.status(&node).await, 200);
    assert_eq!(late.cookie, dead.cookie);
    assert_eq!(late.who(&node).await, "nobody  Superseded");
}

//! What came first is decided by positions, on nodes whose clocks differ by a minute.

use rocket::http::{Header, Status};
use time::Duration;

use crate::node::{Browser, COOKIE, Node};
use crate::watched::Watched;

/// Two nodes of one log, the second a minute ahead of the first or behind it.
async fn pairs() -> Vec<(Node, Node)> {
    let mut pairs = Vec::new();
    for minute in [Duration::minutes(1), Duration::minutes(-1)] {
        let log = Watched::new();
        pairs.push((Node::start(&log).await, Node::start_with(&log, "", minute).await));
    }
    pairs
}

#[rocket::async_test]
async fn a_login_right_after_log_out_everywhere_works_on_every_node() {
    for (one, other) in pairs().await {
        let mut ada = Browser::of(&one, "ada").await;
        assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
        for (signs_in, looks) in [(&other, &one), (&one, &other)] {
            let phone = Browser::of(signs_in, "ada").await;
            assert_eq!((phone.status(signs_in).await, phone.status(looks).await), (200, 200));
        }
        // Without any cookie, as an app on a phone may come.
        ada.posts(&one, "/others/end", "").await;
        let mut phone = Browser::default();
        assert_eq!(phone.posts(&other, "/token/ada", "").await, Status::Ok);
        assert_eq!((phone.status(&one).await, phone.status(&other).await), (200, 200));
    }
}

#[rocket::async_test]
async fn a_session_signed_in_just_before_log_out_everywhere_is_dead_on_every_node() {
    for (one, other) in pairs().await {
        let mut ada = Browser::of(&one, "ada").await;
        let phones = [Browser::of(&other, "ada").await, Browser::of(&one, "ada").await];
        assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
        other.catches_up().await;
        for phone in phones {
            assert_eq!((phone.status(&one).await, phone.status(&other).await), (401, 401));
        }
    }
}

#[rocket::async_test]
async fn a_login_on_the_old_password_that_ends_after_its_change_is_dead() {
    for (one, other) in pairs().await {
        let mut ada = Browser::of(&one, "ada").await;
        let mut thief = Browser::default();
        thief.gets(&other, "/form").await;
        let (status, ()) = rocket::tokio::join!(thief.posts(&other, "/slow/login", ""), async {
            other.meets().await;
            // The old password has been checked by now. Its owner changes it.
            assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
            other.meets().await;
        });
        assert_eq!(status, Status::Ok);
        one.catches_up().await;
        other.catches_up().await;
        assert_eq!((thief.status(&one).await, thief.status(&other).await), (401, 401));
        assert_eq!(ada.status(&other).await, 200);
    }
}

#[rocket::async_test]
async fn a_sign_in_by_a_link_works_too() {
    for (one, other) in pairs().await {
        let mut ada = Browser::default();
        ada.gets(&one, "/callback/ada").await;
        assert_eq!((ada.status(&one).await, ada.status(&other).await), (200, 200));
    }
}

#[rocket::async_test]
async fn of_a_logout_and_a_renewal_on_two_nodes_the_logout_wins_whichever_was_first() {
    for (one, other) in pairs().await {
        for slow in ["/slow/renew", "/slow/again"] {
            // The logout comes while the renewal is under way.
            let mut ada = Browser::of(&one, "ada").await;
            let (mut late, copy) = (ada.clone(), ada.clone());
            rocket::tokio::join!(late.posts(&other, slow, ""), async {
                other.meets().await;
                ada.posts(&one, "/logout", "").await;
                other.meets().await;
            });
            assert_eq!(late.cookie, copy.cookie, "{slow}: the renewal has not been answered with a cookie");
            assert_eq!((late.status(&one).await, late.status(&other).await), (401, 401), "{slow}");

            // The logout was under way when the renewal came, with the cookie from before.
            let mut ada = Browser::of(&one, "ada").await;
            let mut renewed = ada.clone();
            rocket::tokio::join!(ada.posts(&other, "/slow/logout", ""), async {
                other.meets().await;
                renewed.posts(&one, "/renew", "").await;
                other.meets().await;
            });
            one.catches_up().await;
            assert_eq!((renewed.status(&one).await, renewed.status(&other).await), (401, 401), "{slow}");
        }
    }
}

#[rocket::async_test]
async fn two_who_append_at_once_lose_nothing_and_no_position() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut all = Vec::new();
    for _ in 0..64 {
        all.push(Browser::of(&one, "ada").await);
    }
    let copies = all.clone();
    let logouts = all.iter_mut().enumerate().map(|(n, browser)| {
        let node = if n % 2 == 0 { &one } else { &other };
        browser.posts(node, "/logout", "")
    });
    let statuses = rocket::futures::future::join_all(logouts).await;
    assert!(statuses.iter().all(|status| *status == Status::Ok));
    one.catches_up().await;
    other.catches_up().await;
    for copy in copies {
        assert_eq!((copy.status(&one).await, copy.status(&other).await), (401, 401));
    }
    let positions: Vec<u64> = log.page().await.lines.iter().map(|(position, _)| *position).collect();
    assert!(positions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{positions:?}");
}

#[rocket::async_test]
async fn a_password_that_is_asked_for_again_on_a_node_that_lags_behind_keeps_the_session() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut ada = Browser::of(&one, "ada").await;
    assert_eq!(ada.posts(&one, "/others/end", "").await, Status::Ok);
    // The other node does not know of it yet.
    assert_eq!(ada.posts(&other, "/again", "").await, Status::Ok);
    assert_eq!((ada.status(&one).await, ada.status(&other).await), (200, 200));
}

#[rocket::async_test]
async fn one_who_signs_in_instead_of_another_is_not_ended_by_what_came_before() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut browser = Browser::of(&node, "ada").await;
    browser.posts(&node, "/end/bob", "").await;
    assert_eq!(browser.posts(&node, "/instead/bob", "").await, Status::Ok);
    assert_eq!(browser.status(&node).await, 200);

    // Another site's form brings no cookie, but a proof of who it is.
    let form = node.client.post("/instead/bob").header(Header::new("Sec-Fetch-Site", "cross-site"));
    let answer = form.dispatch().await;
    let cookie = answer.cookies().get(COOKIE).map(|cookie| cookie.value().to_owned());
    assert_eq!(Browser { cookie }.status(&node).await, 200);
}

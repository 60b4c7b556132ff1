//! The log is away, has lost entries, or is another's.

use std::sync::Arc;
use std::time::Instant;

use cookie::{Cookie, CookieJar};
use rocket::futures::future::join_all;
use rocket::http::Status;
use rocket::tokio::runtime::Builder;
use rocket::tokio::time::sleep;
use sealed_sessions::Clock;
use sealed_sessions::ledger::{Line, Log, Page};
use sealed_sessions::store::{Id, Record};
use time::Duration;
use world::KEY;

use crate::log;
use crate::node::{Browser, COOKIE, Node, figment};
use crate::watched::Watched;

#[rocket::async_test]
async fn while_the_log_is_away_for_too_long_the_signed_in_get_503_and_visitors_go_on() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (mut ada, mut visitor) = (Browser::of(&node, "ada").await, Browser::default());
    visitor.gets(&node, "/add/apple").await;
    log.set_away(true);
    node.clock.advance(Duration::seconds(9));
    assert_eq!(ada.status(&node).await, 200);
    node.clock.advance(Duration::seconds(2));
    assert_eq!(ada.status(&node).await, 503);
    visitor.gets(&node, "/add/pear").await;
    assert_eq!(visitor.who(&node).await, "nobody apple+pear Resumed");
    assert_eq!(ada.posts(&node, "/logout", "").await, Status::ServiceUnavailable);
    let before = ada.cookie.clone();
    log.set_away(false);
    assert_eq!(ada.status(&node).await, 200, "it is back");
    assert_eq!(ada.cookie, before);
}

#[rocket::async_test]
async fn an_end_that_cannot_be_entered_is_said() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    log.set_away(true);
    assert_eq!(ada.posts(&node, "/others/end", "").await, Status::ServiceUnavailable);
    let copy = ada.clone();
    assert_eq!(ada.posts(&node, "/logout", "").await, Status::ServiceUnavailable);
    assert_eq!(ada.cookie, None, "the browser has none any more");
    log.set_away(false);
    assert_eq!(copy.status(&node).await, 200, "the copy lives, as the answer says");
}

/// All tasks run on the thread of the test, whose log it reads.
#[test]
fn that_the_log_is_away_is_said_once_and_that_it_answers_again_too() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = Watched::new();
        let _node = Node::start(&log).await;
        log::lines();
        let mut said = Vec::new();
        for (is_away, readings) in [(true, 3), (false, 3), (true, 2)] {
            log.set_away(is_away);
            log.calls();
            let (mut read, begun) = (0, Instant::now());
            while read < readings {
                sleep(std::time::Duration::from_millis(20)).await;
                read += log.calls().iter().filter(|call| **call == "read").count();
                assert!(begun.elapsed().as_secs() < 60, "the log is read every second or two");
            }
            said.extend(log::lines().into_iter().filter(|line| line.contains("the ledger")));
        }
        let words = ["cannot be read", "answers again", "cannot be read"];
        assert!(
            said.len() == 3 && said.iter().zip(words).all(|(line, word)| line.contains(word)),
            "{said:?}"
        );
    });
}

#[rocket::async_test]
async fn a_clock_that_is_set_back_does_not_hide_that_the_log_is_away() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let ada = Browser::of(&node, "ada").await;
    log.set_away(true);
    node.clock.advance(Duration::seconds(-20));
    assert_eq!(ada.status(&node).await, 503);
}

/// A log with a logout, whose copy must stay dead: somebody who goes on, the copy, and what was in it before.
async fn logged_out(log: &Arc<Watched>, node: &Node) -> (Browser, Browser, Page) {
    let mut gone = Browser::of(node, "bob").await;
    let before = log.page().await;
    let copy = gone.clone();
    gone.posts(node, "/logout", "").await;
    (Browser::of(node, "ada").await, copy, before)
}

#[rocket::async_test]
async fn a_log_that_was_emptied_or_restored_is_filled_again_from_memory_at_the_same_positions() {
    for emptied in [true, false] {
        let log = Watched::new();
        let node = Node::start(&log).await;
        let (ada, copy, before) = logged_out(&log, &node).await;
        let whole = log.page().await;
        log.restore(&if emptied { Page::default() } else { before }).await;
        node.catches_up().await;
        assert!(log::lines().iter().all(|line| !line.contains("everyone is signed out")));
        let page = log.page().await;
        assert_eq!(page.claim, whole.claim);
        let known = whole.lines.iter().filter(|line| page.lines.contains(line)).count();
        assert!(known >= whole.lines.len() - 1, "{known} of {}", whole.lines.len());
        let late = Node::start(&log).await;
        for node in [&node, &late] {
            assert_eq!((ada.status(node).await, copy.status(node).await), (200, 401));
        }
        let bob = Browser::of(&late, "bob").await;
        assert_eq!((bob.status(&node).await, bob.status(&late).await), (200, 200));
    }
}

#[rocket::async_test]
async fn what_only_another_node_remembers_is_added() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let (_, first, _) = logged_out(&log, &one).await;
    other.catches_up().await;
    let (_, second, _) = logged_out(&log, &other).await;
    log.restore(&Page::default()).await;
    one.catches_up().await;
    other.catches_up().await;
    one.catches_up().await;
    let late = Node::start(&log).await;
    for node in [&one, &other, &late] {
        assert_eq!((first.status(node).await, second.status(node).await), (401, 401));
    }
}

#[rocket::async_test]
async fn a_logout_into_a_log_that_has_just_lost_entries_counts() {
    for lost in ["all", "the last ones", "the last one"] {
        let log = Watched::new();
        let node = Node::start(&log).await;
        let (mut ada, copy, before) = logged_out(&log, &node).await;
        let copies = [copy, ada.clone()];
        let mut all_but_one = log.page().await;
        all_but_one.lines.pop();
        let left = match lost {
            "all" => Page::default(),
            "the last ones" => before,
            _ => all_but_one,
        };
        log.restore(&left).await;
        assert_eq!(ada.posts(&node, "/logout", "").await, Status::Ok);
        let late = Node::start(&log).await;
        for copy in &copies {
            assert_eq!((copy.status(&node).await, copy.status(&late).await), (401, 401));
        }
    }
}

#[rocket::async_test]
async fn entries_that_went_on_over_a_restored_log_do_not_hide_what_it_has_lost() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (_, copy, before) = logged_out(&log, &node).await;
    log.restore(&before).await;
    let late = Node::start(&log).await;
    for _ in 0..8 {
        logged_out(&log, &late).await;
    }
    node.catches_up().await;
    late.catches_up().await;
    for node in [&node, &late, &Node::start(&log).await] {
        assert_eq!(copy.status(node).await, 401);
    }
}

#[rocket::async_test]
async fn a_log_that_was_emptied_while_no_node_ran_ends_everyones_sessions() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (ada, copy, _) = logged_out(&log, &node).await;
    let mut visitor = Browser::default();
    visitor.gets(&node, "/add/apple").await;
    node.stop().await;
    log.restore(&Page::default()).await;
    let node = Node::start_with(&log, "", Duration::seconds(60)).await;
    assert!(log::lines().iter().any(|line| line.contains("is new: sessions that signed in earlier end")));
    assert_eq!((ada.status(&node).await, copy.status(&node).await), (401, 401));
    assert_eq!(visitor.who(&node).await, "nobody apple Resumed");
    assert_eq!(Browser::of(&node, "ada").await.status(&node).await, 200);
}

#[rocket::async_test]
async fn a_log_that_was_restored_while_no_node_ran_is_noticed_by_a_later_cookie() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let (ada, copy, before) = logged_out(&log, &node).await;
    node.stop().await;
    log.restore(&before).await;
    let node = Node::start(&log).await;
    let _ = ada.status(&node).await;
    log::lines();
    node.catches_up().await;
    assert_eq!((ada.status(&node).await, copy.status(&node).await), (401, 401));
    let late = Node::start(&log).await;
    assert_eq!(copy.status(&late).await, 401);
    assert_eq!(Browser::of(&node, "ada").await.status(&late).await, 200);
}

#[rocket::async_test]
async fn a_log_that_was_changed_for_another_ends_everyones_sessions() {
    let (log, another) = (Watched::new(), Watched::new());
    let node = Node::start(&log).await;
    let (ada, copy, _) = logged_out(&log, &node).await;
    let stranger = Node::start(&another).await;
    log.restore(&another.page().await).await;
    node.catches_up().await;
    for node in [&node, &Node::start(&log).await] {
        assert_eq!((ada.status(node).await, copy.status(node).await), (401, 401));
        assert_eq!(Browser::of(node, "ada").await.status(node).await, 200);
    }
    drop(stranger);
}

#[rocket::async_test]
async fn the_log_of_an_app_with_other_keys_refuses_the_launch() {
    let log = Watched::new();
    let other_key = sealed_sessions::keys::generate_key().unwrap();
    drop(Node::start(&log).await);
    let refused = Node::try_start(&log, figment("").merge(("secret_key", &other_key))).await.err().unwrap();
    for part in ["an app with other keys", "\"__Host-Http-session\"", "previous_keys"] {
        assert!(refused.contains(part), "{refused}");
    }
    // With the old key as a previous one it is the same app, and the new key seals the claim.
    let both = figment(&format!("previous_keys = [{KEY:?}]")).merge(("secret_key", &other_key));
    drop(Node::try_start(&log, both).await.unwrap());
    drop(Node::try_start(&log, figment("").merge(("secret_key", &other_key))).await.unwrap());
    assert!(Node::try_start(&log, figment("")).await.is_err());
}

#[rocket::async_test]
async fn the_log_is_started_before_it_is_read_and_stopped_with_the_app() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    assert_eq!(log.calls()[..2], ["start", "read"]);
    node.stop().await;
    assert_eq!(log.calls().last(), Some(&"stop"));
}

#[rocket::async_test]
async fn entries_of_a_kind_that_is_not_known_are_kept_and_said_once() {
    let log = Watched::new();
    drop(Node::start(&log).await);
    assert!(log::lines().iter().all(|line| !line.contains("does not know")));
    let line = Line { until: 4_000_000_000, body: b"\xc8something new".to_vec() };
    for _ in 0..3 {
        log.append(&line).await.unwrap();
    }
    log::lines();
    let node = Node::start(&log).await;
    assert_eq!(log::lines().iter().filter(|line| line.contains("does not know")).count(), 1);
    let ada = Browser::of(&node, "ada").await;
    assert_eq!(ada.status(&node).await, 200);
    assert_eq!(log.page().await.lines.iter().filter(|(_, kept)| *kept == line).count(), 3);
}

#[rocket::async_test]
async fn without_its_log_an_app_starts_only_where_the_setting_lets_it() {
    let log = Watched::new();
    let ada = {
        let node = Node::start(&log).await;
        Browser::of(&node, "ada").await
    };
    log.set_away(true);
    let refused = Node::try_start(&log, figment("")).await.err().unwrap();
    assert!(refused.contains("cannot be started") && refused.contains("it is away"), "{refused}");
    let node = Node::try_start(&log, figment("store_required = false")).await.unwrap();
    assert_eq!(ada.status(&node).await, 503);
    assert_eq!(Browser::default().gets(&node, "/who").await, "nobody  Absent");
    log.set_away(false);
    assert_eq!(ada.status(&node).await, 200);
}

#[rocket::async_test]
async fn a_sealed_position_that_no_log_can_have_reached_lets_nobody_in() {
    let node = Node::start(&Watched::new()).await;
    let key = sealed_sessions::keys::parse_key(KEY).unwrap();
    let statuses = [0, 1 << 62, (1 << 62) + 1, u64::MAX].map(async |position| {
        let now = node.clock.seconds();
        let record = Record {
            id: Id::random().unwrap(),
            created: now,
            seen: now,
            version: 1,
            data: r#"{"user":"ada"}"#.to_owned(),
            remembered: false,
            signed_in: Some(now),
            subject: Some("ada".to_owned()),
            position: Some(position),
        };
        let mut jar = CookieJar::new();
        jar.private_mut(&key).add(Cookie::new(COOKIE, record.encode()));
        let cookie = jar.get(COOKIE).map(|cookie| cookie.value().to_owned());
        Browser { cookie }.status(&node).await
    });
    assert_eq!(join_all(statuses).await[2..], [401, 401]);
    assert_eq!(Browser::of(&node, "ada").await.status(&node).await, 200);
}

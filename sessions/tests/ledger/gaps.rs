//! What a node takes for lost, and what for forgotten.

use std::sync::Arc;
use std::time::Instant;

use rocket::http::Status;
use rocket::tokio::runtime::Builder;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::sleep;
use sealed_sessions::Clock;
use sealed_sessions::ledger::{Line, Log};
use time::Duration;
use world::KEY;

use crate::log;
use crate::node::{Browser, Node, figment};
use crate::watched::Watched;

/// An entry of a later version, which no node follows.
fn unknown(until: i64) -> Line {
    Line { until, body: b"\xc8something new".to_vec() }
}

fn said(part: &str) -> usize {
    log::lines().iter().filter(|line| line.contains(part)).count()
}

async fn everyones(log: &Arc<Watched>) -> usize {
    // The kind of an entry is its first byte.
    let first = log.page().await.lines[0].1.body[0];
    log.page().await.lines.iter().filter(|(_, line)| line.body[0] == first).count()
}

/// Waits until the log was swept twice more: the first of these sweeps may have begun earlier.
async fn swept(log: &Watched) {
    let (mut swept, begun) = (0, Instant::now());
    while swept < 2 {
        sleep(std::time::Duration::from_millis(20)).await;
        swept += log.calls().iter().filter(|call| **call == "forget").count();
        assert!(begun.elapsed().as_secs() < 60, "it is swept every second");
    }
}

/// All tasks run on the thread of the test, which sees when the log is swept.
#[test]
fn a_clock_that_is_a_day_ahead_for_a_while_brings_nothing_back() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    for (is_long, is_kept_by_the_log) in [(false, false), (true, true)] {
        runtime.block_on(async {
            let log = Watched::new();
            let node = Node::start_with(&log, "sweep_interval = \"1 second\"", Duration::ZERO).await;
            let mut ada = Browser::of(&node, "ada").await;
            let copy = ada.clone();
            ada.posts(&node, "/logout", "").await;
            let whole = log.page().await;
            if is_kept_by_the_log {
                log.keep_all();
            }
            let steps = if is_long { [86_400, 1200, 1200] } else { [86_400, 250, 250] };
            for seconds in steps {
                swept(&log).await;
                node.clock.advance(Duration::seconds(seconds));
            }
            swept(&log).await;
            log::lines();
            node.clock.advance(-Duration::seconds(steps.iter().sum()));
            node.catches_up().await;
            assert_eq!(copy.who(&node).await, "nobody  Revoked", "for long: {is_long}");
            assert_eq!(log.page().await, whole, "for long: {is_long}");
            swept(&log).await;
            node.catches_up().await;
            assert_eq!(copy.status(&node).await, 401);
            assert_eq!(said("is read again"), usize::from(is_long), "once");
        });
    }
}

#[rocket::async_test]
async fn a_log_of_several_pages_is_read_to_its_end() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let first = log.page().await.lines[0].0;
    // So many that the first page is full when the last of them was read.
    let junk: Vec<_> = (1..10_000).map(|n| (first + n, unknown(4_000_000_000))).collect();
    log.put(&junk).await.unwrap();
    node.catches_up().await;
    let mut ada = Browser::of(&node, "ada").await;
    let copy = ada.clone();
    ada.posts(&node, "/logout", "").await;
    let late = Node::start(&log).await;
    for node in [&node, &late] {
        assert_eq!(copy.status(node).await, 401);
    }
}

#[rocket::async_test]
async fn rule_14_one_who_signs_in_while_the_whole_log_is_read_again_is_signed_in() {
    let log = Watched::new();
    let node = Node::start(&log).await;
    let first = log.page().await.lines[0].0;
    let junk: Vec<_> = (1..20_000).map(|n| (first + n, unknown(4_000_000_000))).collect();
    log.put(&junk).await.unwrap();
    let mut ada = Browser::of(&node, "ada").await;
    assert_eq!(ada.posts(&node, "/others/end", "").await, Status::Ok);
    // Another node says that it has mended the log.
    log.append(&Line { until: 4_000_000_000, body: b"\x05".to_vec() }).await.unwrap();
    log.slow_down(true);
    log.calls();
    let (mut phones, mut readings) = (Vec::new(), 0);
    rocket::tokio::join!(node.catches_up(), async {
        // What is new, three pages and their end.
        while readings < 4 {
            let mut phone = Browser::default();
            phone.gets(&node, "/callback/ada").await;
            phones.push(phone);
            readings += log.calls().iter().filter(|call| **call == "read").count();
            yield_now().await;
        }
    });
    for (n, phone) in phones.iter().enumerate() {
        assert_eq!(phone.status(&node).await, 200, "the {n}th of {}", phones.len());
    }
}

/// All tasks run on the thread of the test, whose log it reads.
#[test]
fn an_entry_that_was_forgotten_in_its_time_is_not_lost_and_one_before_its_time_is() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    // Two clocks may differ by two minutes in all: one is behind by one, the other ahead by one.
    for (seconds_left, lost) in [(-1, 0), (0, 0), (119, 0), (120, 0), (121, 1), (600, 1)] {
        runtime.block_on(async {
            let log = Watched::new();
            let node = Node::start(&log).await;
            let now = node.clock.seconds();
            log.append(&unknown(now + seconds_left)).await.unwrap();
            node.catches_up().await;
            let mut page = log.page().await;
            let (position, _) = page.lines.pop().unwrap();
            page.lines.push((position + 1, unknown(now + 1000)));
            log.restore(&page).await;
            log::lines();
            node.catches_up().await;
            assert_eq!(said("has lost entries"), lost, "{seconds_left} seconds before it may be forgotten");
        });
    }
}

#[rocket::async_test]
async fn a_node_that_has_caught_up_with_a_cookie_from_ahead_of_it_doubts_nothing() {
    let log = Watched::new();
    let (one, other) = (Node::start(&log).await, Node::start(&log).await);
    let mut bob = Browser::of(&one, "bob").await;
    bob.posts(&one, "/logout", "").await;
    // A sign-in that enters nothing: it is sealed at the last position that there is.
    let mut ada = Browser::default();
    ada.gets(&one, "/callback/ada").await;
    assert_eq!(ada.status(&other).await, 200);
    log::lines();
    for _ in 0..3 {
        other.catches_up().await;
        assert_eq!(ada.status(&other).await, 200);
    }
    assert_eq!((said("everyone is signed out"), everyones(&log).await), (0, 1));
}

#[rocket::async_test]
async fn of_two_nodes_that_begin_a_log_at_once_one_does() {
    let log = Watched::new();
    let begun = Watched::new();
    drop(Node::start(&begun).await);
    log.meanwhile(begun.page().await);
    log::lines();
    let node = Node::start(&log).await;
    assert_eq!((said("is new"), everyones(&log).await), (0, 1));
    assert_eq!(log.page().await.claim, begun.page().await.claim);
    assert_eq!(Browser::of(&node, "ada").await.status(&node).await, 200);
}

#[rocket::async_test]
async fn a_claim_that_another_node_has_sealed_with_a_new_key_is_of_the_same_log() {
    let log = Watched::new();
    let new = sealed_sessions::keys::generate_key().unwrap();
    let keys = |current: &str, previous: &str| {
        figment(&format!("previous_keys = [{previous:?}]")).merge(("secret_key", current))
    };
    let old = Node::try_start(&log, keys(KEY, &new)).await.unwrap();
    let ada = Browser::of(&old, "ada").await;
    let claim = log.page().await.claim;
    let new = Node::try_start(&log, keys(&new, KEY)).await.unwrap();
    assert_ne!(log.page().await.claim, claim, "it is sealed with the new key");
    for _ in 0..2 {
        old.catches_up().await;
        assert_eq!((ada.status(&old).await, ada.status(&new).await), (200, 200));
    }
    assert_eq!(everyones(&log).await, 1);
}

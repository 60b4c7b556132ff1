//! What listeners are told where a ledger ends sessions.

use std::sync::Arc;

use rocket::local::asynchronous::Client;
use sealed_sessions::Sessions;
use sealed_sessions::events::{By, Call, Kind};
use sealed_sessions::testing::ManualClock;
use time::{Duration, OffsetDateTime};
use world::wait_for;

use crate::ear::{Ear, Heard};
use crate::node::{Browser, Node, figment};
use crate::site;
use crate::watched::Watched;

/// A node whose events `ear` hears.
async fn heard(log: &Arc<Watched>, ear: &Ear) -> Node {
    heard_with(log, ear, "").await
}

async fn heard_with(log: &Arc<Watched>, ear: &Ear, settings: &str) -> Node {
    crate::log::install();
    let clock = Arc::new(ManualClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()));
    let sessions = Sessions::fairing().clock(clock.clone()).log("shared", log.clone()).on_event(ear.clone());
    let client = Client::untracked(site::rocket(figment(settings), sessions)).await.unwrap();
    Node { client, clock }
}

#[rocket::async_test]
async fn a_copy_that_comes_long_after_the_logout_or_the_renewal_is_told_as_replayed() {
    for (path, soon) in [("/logout", "refused revoked"), ("/renew", "refused superseded")] {
        let ear = Ear::default();
        let node = heard(&Watched::new(), &ear).await;
        let bob = Browser::of(&node, "bob").await;
        let mut ada = Browser::of(&node, "ada").await;
        let copy = ada.clone();
        ada.posts(&node, path, "").await;
        ear.events();
        copy.status(&node).await;
        assert_eq!(ear.names(), [soon], "{path}");
        for _ in 0..2 {
            node.clock.advance(Duration::seconds(61));
            // The log is read first, since what the node knows is too old by now.
            assert_eq!(bob.status(&node).await, 200);
        }
        ear.events();
        copy.status(&node).await;
        let heard = ear.events();
        assert_eq!(heard.len(), 1, "{path}: {heard:?}");
        assert_eq!(heard[0].kind, Kind::Replayed, "{path}");
        let Heard { realm, session, before, request, why, .. } = &heard[0];
        assert!(session.is_some() && request.is_some(), "{path}");
        assert_eq!((realm.as_str(), before, why), ("/", &None, &None), "{path}");
    }
}

#[rocket::async_test]
async fn a_session_that_ended_with_all_of_its_subject_is_refused_and_not_replayed() {
    let ear = Ear::default();
    let node = heard(&Watched::new(), &ear).await;
    let mut ada = Browser::of(&node, "ada").await;
    let other = Browser::of(&node, "ada").await;
    ear.events();
    ada.posts(&node, "/others/end", "").await;
    let heard = ear.events();
    let kinds: Vec<Kind> = heard.iter().map(|heard| heard.kind).collect();
    assert_eq!(kinds[..2], [Kind::Resumed, Kind::AllEnded { by: By::Subject, count: None }]);
    assert_eq!(kinds[2], Kind::Renewed);
    for _ in 0..3 {
        node.clock.advance(Duration::seconds(61));
        assert_eq!(ada.status(&node).await, 200);
    }
    ear.events();
    other.status(&node).await;
    assert_eq!(ear.names(), ["refused revoked"]);
}

#[rocket::async_test]
async fn where_a_subject_may_have_one_session_a_sign_in_tells_that_it_has_ended_the_others() {
    let ear = Ear::default();
    let node = heard_with(&Watched::new(), &ear, "max_sessions = 1").await;
    Browser::of(&node, "ada").await;
    let heard = ear.events();
    let limit = Kind::AllEnded { by: By::Limit, count: None };
    let [ended] = &heard.iter().filter(|heard| heard.kind == limit).collect::<Vec<_>>()[..] else {
        panic!("{heard:?}")
    };
    assert_eq!(ended.subject.as_deref(), Some("ada"));
    assert!(ended.request.is_some());
}

#[rocket::async_test]
async fn what_an_operator_ends_is_told_to_the_operators_program() {
    let ear = Ear::default();
    let log = Watched::new();
    let _node = Node::start(&log).await;
    let sessions = Sessions::<site::Visitor>::fairing().log("shared", log.clone()).on_event(ear.clone());
    let realms = sessions.operators(&figment("")).unwrap();
    let [realm] = &realms[..] else { panic!("{realms:?}") };
    realm.start().await.unwrap();
    realm.end_subject("ada").await.unwrap();
    realm.end_session(&"0123456789abcdef".parse().unwrap()).await.unwrap();
    realm.end_everyone().await.unwrap();
    let heard = ear.events();
    let all = Kind::AllEnded { by: By::Operator, count: None };
    let kinds: Vec<Kind> = heard.iter().map(|heard| heard.kind).collect();
    assert_eq!(kinds, [all, Kind::Ended(By::Operator), all]);
    assert_eq!(heard[0].subject.as_deref(), Some("ada"));
    assert_eq!(heard[1].session.as_deref(), Some("0123456789abcdef"));
    assert_eq!((&heard[2].subject, &heard[2].session), (&None, &None));
}

#[rocket::async_test]
async fn a_form_that_is_refused_is_told_with_its_reason() {
    let ear = Ear::default();
    let node = heard(&Watched::new(), &ear).await;
    let mut ada = Browser::of(&node, "ada").await;
    ear.events();
    ada.posts(&node, "/login", "csrf_token=forged&user=eve").await;
    assert_eq!(ear.names(), ["resumed", "form_refused token"]);
}

#[rocket::async_test]
async fn the_age_of_the_ledger_and_the_time_of_its_calls_are_told() {
    let ear = Ear::default();
    let node = heard(&Watched::new(), &ear).await;
    Browser::of(&node, "ada").await.posts(&node, "/logout", "").await;
    let mut kinds = Vec::new();
    wait_for("the age of the ledger", || {
        kinds.extend(ear.kinds());
        kinds.contains(&Kind::LedgerAge(Some(0))).then_some(())
    });
    for wanted in [Call::LedgerRead, Call::LedgerAppend, Call::Load, Call::Save, Call::End] {
        let called = |kind: &Kind| matches!(kind, Kind::Called { call, .. } if *call == wanted);
        assert!(kinds.iter().any(called), "{wanted:?}: {kinds:?}");
    }
}

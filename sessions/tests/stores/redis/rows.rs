//! How rows are laid out, and what they cost.

use sealed_sessions::store::{Over, Record, Write, Written};
use world::databases;

use super::{ask, calls, is_found, now, reported, save, session_keys, started, updated};
use crate::site::record;
use crate::support::listed;

/// How many commands the server at this port got from its clients while `work` was done.
async fn commands<F: Future>(port: u16, work: impl FnOnce() -> F) -> (i64, F::Output) {
    ask::<()>(port, "CONFIG RESETSTAT");
    let done = work().await;
    // Of a script's own commands nothing is said here; the last one is the question itself.
    let total = calls(port, "get") + calls(port, "evalsha") + calls(port, "eval") + calls(port, "zcard");
    (total, done)
}

#[rocket::async_test]
async fn a_change_costs_one_command_to_read_and_one_to_write_also_when_signed_in() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let store = started(&database.url()).await;
    for subject in [None, Some("ada".to_owned())] {
        let mut current = Record { subject, ..record(now()) };
        save(&*store, &current, Over::Nothing).await;
        save(&*store, &updated(&current), Over::Version(1)).await;
        current = updated(&current);
        save(&*store, &current, Over::Touch).await;
        for minutes in 1..=10 {
            let next = Record { seen: current.seen + 60 * (minutes % 2), ..updated(&current) };
            let (spent, ()) = commands(port, async || {
                is_found(&*store, &current).await;
                save(&*store, &next, Over::Version(current.version)).await;
            })
            .await;
            assert_eq!(spent, 2, "{next:?}");
            assert_eq!(calls(port, "zadd"), 0);
            current = next;
            let touched = Record { seen: current.seen + 1, ..current.clone() };
            let (spent, ()) = commands(port, async || save(&*store, &touched, Over::Touch).await).await;
            assert_eq!(spent, 1);
            current = touched;
        }
    }
    store.service().unwrap().stop().await;
}

/// However long it is used, and however seldom its entry is renewed.
#[rocket::async_test]
async fn a_session_in_use_stays_in_its_subjects_list() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let store = started(&database.url()).await;
    // The timeout, the time between two uses, every how many of them one is a write, and how many entries that costs.
    for (timeout, pause, writes, entries) in [
        (60, 6, 2, 60),
        (1800, 1700, 2, 210),
        (30 * 86400, 3600, 2, 40),
        (30 * 86400, 86400, 1, 210),
        (30 * 86400, 86400, 1000, 210),
    ] {
        let subject = format!("ada {timeout} {pause} {writes}");
        let mut current = Record { subject: Some(subject.clone()), ..record(now()) };
        let first = Write { record: &current, expires: current.seen + timeout, over: Over::Nothing };
        store.save(&first).await.unwrap();
        ask::<()>(port, "CONFIG RESETSTAT");
        for step in 1..=200 {
            let seen = current.seen + pause;
            let (next, over) = if step % writes == 0 {
                (Record { seen, ..updated(&current) }, Over::Version(current.version))
            } else {
                (Record { seen, ..current.clone() }, Over::Touch)
            };
            let written = store.save(&Write { record: &next, expires: seen + timeout, over }).await.unwrap();
            assert!(matches!(written, Written::Saved(_)), "{subject}: {written:?} at step {step}");
            current = next;
            let in_time = async |at| listed(&*store, &subject, at).await.len();
            assert_eq!(in_time(seen).await, 1, "{subject}: after {step} steps");
            if step % 20 == 0 {
                // At the last moment in which it lives somebody signs in as the same person: entries that are over
                // are dropped.
                let last = seen + timeout - 1;
                let other = Record { subject: Some(subject.clone()), ..record(last) };
                save(&*store, &other, Over::Nothing).await;
                store.delete(&other.id.to_text()).await.unwrap();
                assert_eq!(in_time(last).await, 1, "{subject}: {step} steps and a rest later");
            }
        }
        let entered = calls(port, "zadd");
        assert!(entered <= entries, "{subject}: entered {entered} times in 200 steps");
    }
    store.service().unwrap().stop().await;
}

/// A change of subject, and a marker in a session's place.
#[rocket::async_test]
async fn a_row_is_listed_under_its_subject_alone() {
    let Some(database) = databases::redis() else { return };
    let store = started(&database.url()).await;
    let of = |subject: &str, record: &Record| Record { subject: Some(subject.to_owned()), ..record.clone() };
    let first = of("ada", &record(now()));
    save(&*store, &first, Over::Nothing).await;
    let second = of("bob", &updated(&first));
    save(&*store, &second, Over::Version(1)).await;
    assert_eq!(listed(&*store, "ada", now()).await.len(), 0);
    assert_eq!(listed(&*store, "bob", now()).await.len(), 1);
    let third = Record { id: record(0).id, ..updated(&second) };
    save(&*store, &third, Over::Renewed(&second)).await;
    assert_eq!(listed(&*store, "bob", now()).await.len(), 1);
    let anonymous = Record { subject: None, ..updated(&third) };
    save(&*store, &anonymous, Over::Version(third.version)).await;
    assert_eq!(listed(&*store, "bob", now()).await.len(), 0);
    let keys: Vec<String> = ask(database.ports()[0], "KEYS *");
    assert!(keys.iter().all(|key| key.starts_with("sessions:__Host-Http-session:")), "{keys:?}");
    assert_eq!(reported(database.ports()[0], "keyspace", "absent"), None);
    store.service().unwrap().stop().await;
}

/// Redis itself forgets them, and a use only makes it later.
#[rocket::async_test]
async fn a_row_has_a_time_to_live_that_never_moves_back() {
    let Some(database) = databases::redis() else { return };
    let port = database.ports()[0];
    let store = started(&database.url()).await;
    let first = record(now());
    store.save(&Write { record: &first, expires: first.seen + 3600, over: Over::Nothing }).await.unwrap();
    let key = session_keys(port).concat();
    let left = || ask::<i64>(port, &format!("TTL {key}"));
    assert!((3590..=3600).contains(&left()), "{}", left());
    let sooner = Write { record: &updated(&first), expires: first.seen + 60, over: Over::Version(1) };
    store.save(&sooner).await.unwrap();
    assert!((3590..=3600).contains(&left()), "{}", left());
    // A node whose clock is ahead does not have it forgotten sooner.
    let ahead = Record { seen: first.seen + 2400, ..updated(&updated(&first)) };
    store.save(&Write { record: &ahead, expires: first.seen + 3600, over: Over::Version(2) }).await.unwrap();
    assert!((3590..=3600).contains(&left()), "{}", left());
    store.save(&Write { record: &ahead, expires: ahead.seen + 7200, over: Over::Touch }).await.unwrap();
    assert!((7190..=7200).contains(&left()), "{}", left());
    store.service().unwrap().stop().await;
}

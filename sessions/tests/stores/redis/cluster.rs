//! A Cluster that changes while it is asked.

use std::time::{Duration, Instant};

use rocket::tokio::time::timeout;
use sealed_sessions::store::{Loaded, Over};
use world::databases;

use super::{ask, is_found, now, save, session_keys, started, updated};
use crate::site::record;

/// A slot that is being moved is asked for where it is, key by key, also at a node that has had no slot so far.
#[rocket::async_test]
async fn a_slot_that_is_being_moved_is_followed() {
    let Some(database) = databases::redis_cluster_of_five() else { return };
    let ports = database.ports();
    let store = started(&database.url()).await;
    for is_new in [false, true] {
        let first = record(now());
        let keys = || ports[..3].iter().flat_map(|port| session_keys(*port));
        let before: Vec<String> = keys().collect();
        save(&*store, &first, Over::Nothing).await;
        let key = keys().find(|key| !before.contains(key)).unwrap();
        let slot: u16 = ask(ports[0], &format!("CLUSTER KEYSLOT {key}"));
        let has_it = |port: &u16| {
            ask::<Vec<String>>(*port, &format!("CLUSTER GETKEYSINSLOT {slot} 1")) == [key.as_str()]
        };
        let from = ports[..3].iter().copied().find(has_it).unwrap();
        let has_slots = if from == ports[1] { ports[2] } else { ports[1] };
        let to = if is_new { ports[4] } else { has_slots };
        let id = |port: u16| ask::<String>(port, "CLUSTER MYID");
        ask::<()>(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from)));
        ask::<()>(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to)));
        is_found(&*store, &first).await;
        ask::<String>(from, &format!("MIGRATE 127.0.0.1 {to} {key} 0 5000"));
        is_found(&*store, &first).await;
        let second = updated(&first);
        save(&*store, &second, Over::Version(1)).await;
        is_found(&*store, &second).await;
        for port in [to, from] {
            ask::<()>(port, &format!("CLUSTER SETSLOT {slot} NODE {}", id(to)));
        }
        is_found(&*store, &second).await;
        save(&*store, &updated(&second), Over::Version(2)).await;
        // Others are where they were.
        for _ in 0..32 {
            let other = record(now());
            save(&*store, &other, Over::Nothing).await;
            is_found(&*store, &other).await;
        }
    }
    store.service().unwrap().stop().await;
}

/// A master that hangs is replaced by its replica, and the connection to it by another one: not only after an answer
/// that takes too long, but also when all who ask give up before.
#[rocket::async_test]
async fn a_hung_master_is_left_behind() {
    let Some(mut database) = databases::redis_cluster_of_five() else { return };
    let [first, _, _, replica, _] = database.ports()[..] else { panic!("five nodes") };
    let store = started(&database.url()).await;
    let mut records = Vec::new();
    for _ in 0..48 {
        let record = record(now());
        save(&*store, &record, Over::Nothing).await;
        records.push(record);
    }
    let size = |port| ask::<i64>(port, "DBSIZE");
    assert!(size(first) > 0, "the first master has some of them");
    world::wait_for("the replica to have them too", || (size(replica) == size(first)).then_some(()));
    database.pause_at(first);
    // Until then its slots are nobody's.
    let is_promoted = || ask::<String>(replica, "INFO replication").contains("role:master");
    let mut promoted = None;
    let hung = Instant::now();
    loop {
        let mut answered = 0;
        for record in &records {
            let ticket = record.id.to_text();
            match timeout(Duration::from_millis(800), store.load(&ticket, record.seen)).await {
                Ok(Ok(loaded)) => {
                    assert_eq!(loaded, Loaded::Found(record.clone()));
                    answered += 1;
                }
                Ok(Err(_)) | Err(_) => break,
            }
        }
        if promoted.is_none() && is_promoted() {
            promoted = Some(Instant::now());
        }
        if answered == records.len() {
            break;
        }
        assert!(hung.elapsed() < Duration::from_secs(40), "promoted {promoted:?}, hung {hung:?}");
    }
    let since = promoted.unwrap_or_else(Instant::now).elapsed();
    println!("all is answered {:?} after the hang, {since:?} after the promotion", hung.elapsed());
    assert!(since < Duration::from_secs(10), "{since:?} after the promotion");
    save(&*store, &updated(&records[0]), Over::Version(1)).await;
    store.service().unwrap().stop().await;
    database.resume();
}

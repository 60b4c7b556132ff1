//! A failover behind Sentinels.

use std::time::{Duration, Instant};

use sealed_sessions::store::Over;
use world::{databases, wait_for};

use super::{ask, calls, client, now, started, write};
use crate::site::record;

/// An old master that comes back takes itself for one until the sentinels tell it otherwise. What it is told until then
/// is lost.
#[rocket::async_test]
async fn the_old_master_gets_no_writes_when_it_is_back() {
    let Some(mut database) = databases::redis_sentinel() else { return };
    let store = started(&database.url()).await;
    let save = async || {
        let record = record(now());
        store.save(&write(&record, Over::Nothing)).await.is_ok()
    };
    assert!(save().await);
    let old = database.kill_master();
    let new =
        wait_for("the replica to become the master", || Some(database.master()).filter(|new| *new != old));
    let failed_over = Instant::now();
    while !save().await {
        assert!(failed_over.elapsed() < Duration::from_secs(20), "the new master is not found");
    }
    database.start_at(old);
    wait_for("the old master to be back", || {
        redis::Client::open(("127.0.0.1", old)).unwrap().get_connection().is_ok().then_some(())
    });
    let is_master = |port| ask::<String>(port, "INFO replication").contains("role:master");
    assert!(is_master(old), "it does not know yet");
    drop(client(old));
    let mut writes = 0;
    let before = calls(new, "set");
    while is_master(old) && writes < 200 {
        assert!(save().await);
        writes += 1;
        rocket::tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(calls(old, "set"), 0, "the old master was told");
    }
    assert!(writes > 0);
    assert_eq!(calls(new, "set") - before, writes);
    store.service().unwrap().stop().await;
}

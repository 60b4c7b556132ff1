//! Hints on real servers that end and come back.

use std::time::{Duration, Instant};

use rocket::futures::StreamExt as _;
use rocket::tokio::time::{sleep, timeout};
use world::databases::{Database, postgres, redis, redis_cluster};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again until there is an answer.
async fn at_last<T, E: std::fmt::Display>(ask: impl AsyncFn() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(start.elapsed() < PATIENCE, "still {error}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn end_with_the_server_and_can_be_listened_to_again(database: Option<Database>) {
    let Some(mut database) = database else { return };
    let log = sealed_sessions::ledger::open(&database.url(), "hints").unwrap();
    log.start().await.unwrap();
    let hints = log.hints().unwrap();
    let mut heard = hints.listen().await.unwrap();
    at_last(async || hints.send(1).await).await;
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(Some(1)));
    database.kill();
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(None), "the stream ends");
    assert!(hints.listen().await.is_err() && hints.send(2).await.is_err(), "nobody is there");
    database.restart();
    let mut heard = at_last(async || hints.listen().await).await;
    at_last(async || hints.send(3).await).await;
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(Some(3)));
    log.stop().await;
}

mod hints {
    use super::*;

    #[rocket::async_test]
    async fn of_postgres() {
        end_with_the_server_and_can_be_listened_to_again(postgres()).await;
    }

    #[rocket::async_test]
    async fn of_redis() {
        end_with_the_server_and_can_be_listened_to_again(redis()).await;
    }

    #[rocket::async_test]
    async fn of_a_redis_cluster() {
        end_with_the_server_and_can_be_listened_to_again(redis_cluster()).await;
    }
}

#[rocket::async_test]
async fn hints_follow_a_failover_of_redis() {
    let Some(mut database) = world::databases::redis_sentinel() else { return };
    let log = sealed_sessions::ledger::open(&database.url(), "hints").unwrap();
    log.start().await.unwrap();
    let hints = log.hints().unwrap();
    let mut heard = hints.listen().await.unwrap();
    let old = database.kill_master();
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(None), "the stream ends");
    world::wait_for("another master", || (database.master() != old).then_some(()));
    let mut heard = at_last(async || hints.listen().await).await;
    at_last(async || hints.send(7).await).await;
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(Some(7)));
}

#[rocket::async_test]
async fn hints_of_a_cluster_come_by_way_of_any_node() {
    let Some(mut database) = world::databases::redis_cluster_of_five() else { return };
    // The replica of the first takes its place some seconds later.
    let first = database.ports()[0];
    let log = sealed_sessions::ledger::open(&database.url(), "hints").unwrap();
    log.start().await.unwrap();
    database.kill_at(first);
    let hints = log.hints().unwrap();
    let mut heard = at_last(async || hints.listen().await).await;
    at_last(async || hints.send(9).await).await;
    assert_eq!(timeout(PATIENCE, heard.next()).await, Ok(Some(9)));
}

//! Requests that take turns, in a store that has locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocket::futures::future::try_join_all;
use rocket::tokio::time::timeout;

use crate::contract::{Outcome, expect, random_id};
use crate::store::conformance::bench::Bench;

pub(in crate::store::conformance) async fn locks(bench: Bench) -> Outcome {
    let Some(locks) = bench.store.locks() else { return Ok(()) };
    let (one, other) = (random_id()?.to_text(), random_id()?.to_text());
    let held = locks.lock(&one).await?;
    let second = timeout(Duration::from_millis(100), locks.lock(&one)).await;
    expect(second.is_err(), || "two hold the lock of one session".into())?;
    let unrelated = timeout(Duration::from_secs(5), locks.lock(&other)).await;
    expect(unrelated.is_ok(), || "the lock of another session waits too".into())?;
    drop(held);
    let mine = timeout(Duration::from_secs(5), locks.lock(&one)).await;
    expect(mine.is_ok(), || "a lock that was released cannot be taken".into())?;
    drop(mine);
    let inside = Arc::new(AtomicUsize::new(0));
    let turn = |_| {
        let (one, inside) = (one.clone(), Arc::clone(&inside));
        async move {
            let _lock = locks.lock(&one).await?;
            let alone = inside.fetch_add(1, Ordering::SeqCst) == 0;
            rocket::tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            expect(alone, || "two took their turn at once".into())
        }
    };
    try_join_all((0..16).map(turn)).await?;
    Ok(())
}

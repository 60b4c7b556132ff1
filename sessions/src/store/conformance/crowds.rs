//! The clauses about several tasks at once, clocks that jump, and what is given up half way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rocket::futures::future::{try_join, try_join_all};
use rocket::tokio::time::{sleep, timeout};

use super::clauses::if_lists;
use super::{Bench, Failed, HOUR, Outcome, expect, random_id, saved};
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::store::{Loaded, Written};

/// Adds one to the version until the store takes it.
async fn increment(bench: &Bench, id: &Id) -> Outcome {
    loop {
        let Loaded::Found(record) = bench.load(id).await? else {
            return Err(Failed("the session has gone".into()));
        };
        let expected = record.version;
        let next =
            Record { version: expected + 1, data: format!(r#"{{"views":{}}}"#, expected + 1), ..record };
        match bench.update(&next, expected).await? {
            Written::Saved(_) => return Ok(()),
            Written::Conflict => {}
            Written::Gone => return Err(Failed("an update of a live session answered Gone".into())),
        }
    }
}

pub(super) async fn many_on_one(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    try_join_all((0..64).map(|_| spawned(bench.clone(), record.clone()))).await?;
    bench.finds(&Record { version: 65, data: r#"{"views":65}"#.into(), ..record }).await
}

/// On a task of its own, so that the tasks run side by side.
async fn spawned(bench: Bench, record: Record) -> Outcome {
    let task = rocket::tokio::spawn(async move { increment(&bench, &record.id).await });
    task.await.map_err(|error| Failed(format!("a task ended: {error}")))?
}

pub(super) async fn many_on_many(bench: Bench) -> Outcome {
    let records = try_join_all((0..64).map(|_| bench.created())).await?;
    try_join_all(records.iter().map(|record| spawned(bench.clone(), record.clone()))).await?;
    for record in records {
        bench.finds(&Record { version: 2, data: r#"{"views":2}"#.into(), ..record }).await?;
    }
    Ok(())
}

pub(super) async fn two_rotations(bench: Bench) -> Outcome {
    let old = bench.created_for(&bench.subject()?).await?;
    let subject = old.subject.clone().unwrap_or_default();
    let renewed = || Ok::<_, Failed>(Record { id: random_id()?, version: 2, ..old.clone() });
    let all = (0..8).map(|_| renewed()).collect::<Result<Vec<_>, _>>()?;
    let written =
        try_join_all(all.iter().map(|new| bench.store.renew(&old.id, new, 1, bench.until()))).await?;
    let mut alive = Vec::new();
    for (new, written) in all.iter().zip(&written) {
        match written {
            Written::Saved(_) => {
                bench.finds(new).await?;
                alive.push(new);
            }
            _ => bench.misses(&new.id).await?,
        }
    }
    expect(alive.len() == 1, || format!("{} of 8 renewals of one session counted", alive.len()))?;
    bench.lists(&subject, &alive).await.or_else(if_lists(&bench))
}

pub(super) async fn delete_against_rotate(bench: Bench) -> Outcome {
    for _ in 0..8 {
        let old = bench.created().await?;
        let new = Record { id: random_id()?, version: 2, ..old.clone() };
        let hash = IdHash::of(&old.id);
        let rotate = bench.store.renew(&old.id, &new, 1, bench.until());
        try_join(bench.store.delete(&hash), rotate).await?;
        let loaded = bench.load(&old.id).await?;
        expect(!matches!(loaded, Loaded::Found(_)), || "the old id is a session after all".into())?;
        bench.misses(&new.id).await?;
    }
    Ok(())
}

pub(super) async fn end_all_against_rotate(bench: Bench) -> Outcome {
    if !bench.store.capabilities().lists {
        return Ok(());
    }
    for _ in 0..8 {
        let subject = bench.subject()?;
        let old = bench.created_for(&subject).await?;
        let new = Record { id: random_id()?, version: 2, ..old.clone() };
        let rotate = bench.store.renew(&old.id, &new, 1, bench.until());
        try_join(bench.store.end_all(&subject, None, bench.now), rotate).await?;
        bench.lists(&subject, &[]).await?;
        bench.misses(&new.id).await?;
    }
    Ok(())
}

pub(super) async fn jumping_clock(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    // A node whose clock is ahead reads, sweeps nothing that lives, and touches.
    let ahead = Record { seen: bench.now + HOUR / 2, ..record.clone() };
    saved(bench.store.touch(&ahead, bench.until() + HOUR / 2).await?, "touch by a clock that is ahead")?;
    // One that is behind goes on all the same.
    let behind = Record { seen: bench.now - HOUR, version: 2, ..record };
    saved(bench.update(&behind, 1).await?, "update by a clock that is behind")?;
    bench.finds(&behind).await?;
    let loaded = bench.store.load(&behind.id.to_text(), bench.now - 24 * HOUR).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "gone for a clock that is a day behind".into())
}

pub(super) async fn sweeping(bench: Bench) -> Outcome {
    let live = bench.created().await?;
    let long_ago = bench.now - 24 * HOUR;
    let expired = Record { created: long_ago, seen: long_ago, ..bench.record()? };
    saved(bench.store.create(&expired, long_ago + HOUR).await?, "create")?;
    let mut rounds = 0;
    while bench.store.sweep(bench.now).await? > 0 {
        rounds += 1;
        expect(rounds < 100_000, || "sweeping does not come to an end".into())?;
    }
    bench.finds(&live).await?;
    bench.misses(&expired.id).await
}

pub(super) async fn given_up(bench: Bench) -> Outcome {
    let mut current = bench.created().await?;
    for pause in 0..16 {
        let patience = Duration::from_micros(50 * pause);
        let next = Record {
            version: current.version + 1,
            data: format!(r#"{{"views":{pause}}}"#),
            ..current.clone()
        };
        let _ = timeout(patience, bench.store.update(&next, current.version, bench.until())).await;
        let moved = Record { id: random_id()?, version: current.version + 1, ..current.clone() };
        let _ =
            timeout(patience, bench.store.renew(&current.id, &moved, current.version, bench.until())).await;
        // What was given up may still be on its way: the store answers in order or not at all.
        let whole = settled(&bench, [&next, &moved, &current]).await?;
        current = whole;
    }
    Ok(())
}

/// The one of the candidates that the store has, once it has stopped changing.
async fn settled(bench: &Bench, candidates: [&Record; 3]) -> Result<Record, Failed> {
    let mut seen: Option<Record> = None;
    for _ in 0..200 {
        let mut found = Vec::new();
        for candidate in candidates {
            if let Loaded::Found(record) = bench.load(&candidate.id).await? {
                found.push(record);
            }
        }
        found.dedup();
        let [record] = &found[..] else {
            seen = None;
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        if seen.as_ref() == Some(record) {
            return Ok(record.clone());
        }
        seen = Some(record.clone());
        sleep(Duration::from_millis(5)).await;
    }
    Err(Failed("after writes that were given up there is no session, or there are two".into()))
}

pub(super) async fn locks(bench: Bench) -> Outcome {
    if !bench.store.capabilities().locks {
        let refused = matches!(bench.store.lock("AAAA").await, Err(StoreError::Unsupported(_)));
        return expect(refused, || "a lock that cannot be had is given all the same".into());
    }
    let (one, other) = (random_id()?.to_text(), random_id()?.to_text());
    let short = Duration::from_millis(100);
    let held = bench.store.lock(&one).await?;
    let second = timeout(short, bench.store.lock(&one)).await;
    expect(second.is_err(), || "two hold the lock of one session".into())?;
    let unrelated = timeout(Duration::from_secs(5), bench.store.lock(&other)).await;
    expect(unrelated.is_ok(), || "the lock of another session waits too".into())?;
    drop(held);
    let mine = timeout(Duration::from_secs(5), bench.store.lock(&one)).await;
    expect(mine.is_ok(), || "a lock that was given back is not to be had".into())?;
    drop(mine);
    let store = Arc::clone(&bench.store);
    let inside = Arc::new(AtomicUsize::new(0));
    let turn = |_| {
        let (store, one, inside) = (Arc::clone(&store), one.clone(), Arc::clone(&inside));
        async move {
            let _lock = store.lock(&one).await?;
            let alone = inside.fetch_add(1, Ordering::SeqCst) == 0;
            rocket::tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            expect(alone, || "two took their turn at once".into())
        }
    };
    try_join_all((0..16).map(turn)).await?;
    Ok(())
}

pub(super) async fn started_again(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    bench.store.start().await?;
    bench.finds(&record).await
}

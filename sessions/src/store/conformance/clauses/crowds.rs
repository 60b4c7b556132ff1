//! Several tasks at once, and requests that give up.

use std::time::Duration;

use rocket::futures::future::{try_join, try_join_all};
use rocket::tokio::time::{sleep, timeout};

use crate::contract::{Failed, Outcome, expect};
use crate::record::Record;
use crate::record::id::Id;
use crate::store::conformance::bench::{Bench, describe, renewed, updated};
use crate::store::{Loaded, Over, Written};

/// Adds one to the version until the store takes it. No two tasks write the same: a store may take equal writes
/// for one that was sent twice.
async fn increment(bench: Bench, id: Id, task: usize) -> Outcome {
    loop {
        let Loaded::Found(record) = bench.load(&id).await? else {
            return Err(Failed("the session has gone".into()));
        };
        let next = Record { data: format!(r#"{{"task":{task}}}"#), ..updated(&record) };
        let write = bench.write(&next, Over::Version(record.version));
        if let Written::Saved(_) = bench.store.save(&write).await? {
            return Ok(());
        }
    }
}

/// Runs `work` on a task of its own, so that the tasks run side by side.
async fn spawned(work: impl Future<Output = Outcome> + Send + 'static) -> Outcome {
    let done = rocket::tokio::spawn(work).await;
    done.map_err(|error| Failed(format!("a task ended: {error}")))?
}

pub(in crate::store::conformance) async fn many_on_one(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    try_join_all((0..64).map(|task| spawned(increment(bench.clone(), record.id, task)))).await?;
    let loaded = bench.load(&record.id).await?;
    let all = matches!(&loaded, Loaded::Found(found) if found.version == 65);
    expect(all, || format!("{} after 64 writes of a session of version 1", describe(&loaded)))
}

pub(in crate::store::conformance) async fn many_on_many(bench: Bench) -> Outcome {
    let records = try_join_all((0..64).map(|_| bench.created())).await?;
    let update = |record: &Record| {
        let (bench, next) = (bench.clone(), updated(record));
        let what = "an update of a session that nobody else writes";
        spawned(async move { bench.saves(bench.write(&next, Over::Version(1)), what).await })
    };
    try_join_all(records.iter().map(update)).await?;
    for record in &records {
        bench.finds(&updated(record)).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn several_renewals(bench: Bench) -> Outcome {
    let subject = bench.subject()?;
    let old = bench.created_for(&subject).await?;
    let all = (0..8).map(|_| renewed(&old)).collect::<Result<Vec<_>, _>>()?;
    let renew = async |new: &Record| bench.store.save(&bench.write(new, Over::Renewed(&old))).await;
    let written = try_join_all(all.iter().map(renew)).await?;
    let mut alive = Vec::new();
    for (new, written) in all.iter().zip(&written) {
        match written {
            Written::Saved(_) => {
                bench.finds(new).await?;
                alive.push(new);
            }
            Written::Stale => bench.misses(&new.id).await?,
        }
    }
    expect(alive.len() == 1, || format!("{} of 8 renewals of one session succeeded", alive.len()))?;
    bench.lists(&subject, &alive).await
}

pub(in crate::store::conformance) async fn delete_during_renewal(bench: Bench) -> Outcome {
    for _ in 0..8 {
        let old = bench.created().await?;
        let new = renewed(&old)?;
        let ticket = old.id.to_text();
        let renewal = bench.write(&new, Over::Renewed(&old));
        try_join(bench.store.delete(&ticket), bench.store.save(&renewal)).await?;
        let loaded = bench.load(&old.id).await?;
        expect(!matches!(loaded, Loaded::Found(_)), || "the old id still is a session".into())?;
        bench.misses(&new.id).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn end_all_during_renewal(bench: Bench) -> Outcome {
    let Some(revoke) = bench.store.revoke() else { return Ok(()) };
    for _ in 0..8 {
        let subject = bench.subject()?;
        let old = bench.created_for(&subject).await?;
        let new = renewed(&old)?;
        let renewal = bench.write(&new, Over::Renewed(&old));
        try_join(revoke.end_all(&subject, None, bench.now), bench.store.save(&renewal)).await?;
        bench.lists(&subject, &[]).await?;
        bench.misses(&new.id).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn given_up(bench: Bench) -> Outcome {
    let mut current = bench.created().await?;
    for pause in 0..16 {
        let patience = Duration::from_micros(50 * pause);
        let next = updated(&current);
        let update = bench.write(&next, Over::Version(current.version));
        let _ = timeout(patience, bench.store.save(&update)).await;
        let moved = renewed(&current)?;
        let renewal = bench.write(&moved, Over::Renewed(&current));
        let _ = timeout(patience, bench.store.save(&renewal)).await;
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

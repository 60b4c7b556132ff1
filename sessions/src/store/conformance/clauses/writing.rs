//! Creating and updating.

use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::store::conformance::bench::{Bench, HOUR, updated};
use crate::store::{Loaded, Over, Write, Written};

pub(in crate::store::conformance) async fn created_is_loaded(bench: Bench) -> Outcome {
    let bare = bench.created().await?;
    bench.finds(&bare).await?;
    let full = Record {
        created: bench.now - 500,
        seen: bench.now - 10,
        version: 7,
        remembered: true,
        signed_in: Some(bench.now - 400),
        subject: Some(bench.subject()?),
        ..bench.record()?
    };
    let written = bench.store.save(&bench.write(&full, Over::Nothing)).await?;
    bench.finds(&full).await?;
    let loaded = match &written {
        Written::Saved(ticket) => bench.store.load(ticket.text(), bench.now).await?,
        Written::Stale => Loaded::Missing,
    };
    expect(loaded == Loaded::Found(full), || "the ticket of a new session does not load it".into())
}

pub(in crate::store::conformance) async fn creating_never_overwrites(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    for version in [1, 2] {
        let second = Record { data: "{}".into(), version, ..first.clone() };
        bench.refuses(bench.write(&second, Over::Nothing), "creating under an id that is taken").await?;
        bench.finds(&first).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn update_replaces(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let second = updated(&first);
    bench.saves(bench.write(&second, Over::Version(1)), "an update").await?;
    bench.finds(&second).await?;
    let late = Record { data: r#"{"views":3}"#.into(), ..second.clone() };
    for expected in [1, 3] {
        bench.refuses(bench.write(&late, Over::Version(expected)), "an update of another version").await?;
        bench.finds(&second).await?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn update_brings_nothing_back(bench: Bench) -> Outcome {
    let never = updated(&bench.record()?);
    bench.refuses(bench.write(&never, Over::Version(1)), "an update of an unknown id").await?;
    bench.misses(&never.id).await?;
    let late = updated(&bench.ended().await?);
    bench.refuses(bench.write(&late, Over::Version(1)), "an update after a delete").await?;
    bench.misses(&late.id).await?;
    let late = Record { seen: bench.until(), ..updated(&bench.created().await?) };
    let write = Write { expires: bench.until() + HOUR, ..bench.write(&late, Over::Version(1)) };
    bench.refuses(write, "an update after expiry").await?;
    let loaded = bench.load_at(&late.id, bench.until()).await?;
    expect(loaded == Loaded::Missing, || "an expired session is back".into())
}

pub(in crate::store::conformance) async fn update_moves_no_time_back(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let used = Record { seen: bench.now + 600, ..first.clone() };
    let touch = Write { expires: bench.until() + 600, ..bench.write(&used, Over::Touch) };
    bench.saves(touch, "a touch").await?;
    let slow = updated(&first);
    bench.saves(bench.write(&slow, Over::Version(1)), "an update by a slow request").await?;
    bench.finds(&Record { seen: used.seen, ..slow.clone() }).await?;
    let loaded = bench.load_at(&slow.id, bench.until() + 599).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "the end moved back".into())
}

//! When sessions expire, and what moves that.

use crate::clock::UnixSeconds;
use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::store::conformance::bench::{Bench, HOUR, updated};
use crate::store::{Loaded, Over, Write};

pub(in crate::store::conformance) async fn expiry_on_read(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let last = bench.load_at(&record.id, bench.until() - 1).await?;
    expect(matches!(last, Loaded::Found(_)), || "gone a second before it expires".into())?;
    for late in [0, 1, 10 * HOUR] {
        let loaded = bench.load_at(&record.id, bench.until() + late).await?;
        expect(loaded == Loaded::Missing, || format!("still there {late} s after it has expired"))?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn touch_moves_times(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let seen = bench.now + 60;
    let forged = r#"{"forged":1}"#.to_owned();
    let touched = Record { seen, version: 9, data: forged, created: 0, ..record.clone() };
    let touch = Write { expires: bench.until() + 60, ..bench.write(&touched, Over::Touch) };
    bench.saves(touch, "a touch").await?;
    bench.finds(&Record { seen, ..record.clone() }).await?;
    let loaded = bench.load_at(&record.id, bench.until() + 59).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "the end did not move".into())
}

pub(in crate::store::conformance) async fn touch_moves_nothing_back(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    let touch = async |seconds: UnixSeconds| {
        let touched = Record { seen: bench.now + seconds, ..record.clone() };
        let touch = Write { expires: bench.until() + seconds, ..bench.write(&touched, Over::Touch) };
        bench.saves(touch, "a touch").await
    };
    touch(600).await?;
    touch(60).await?;
    bench.finds(&Record { seen: bench.now + 600, ..record.clone() }).await?;
    let loaded = bench.load_at(&record.id, bench.until() + 599).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "the end moved back".into())
}

pub(in crate::store::conformance) async fn touch_revives_nothing(bench: Bench) -> Outcome {
    let ended = bench.ended().await?;
    bench.refuses(bench.write(&ended, Over::Touch), "a touch after a delete").await?;
    bench.misses(&ended.id).await?;
    let late = Record { seen: bench.until(), ..bench.created().await? };
    let touch = Write { expires: bench.until() + HOUR, ..bench.write(&late, Over::Touch) };
    bench.refuses(touch, "a touch after expiry").await?;
    let loaded = bench.load_at(&late.id, bench.until()).await?;
    expect(loaded == Loaded::Missing, || "an expired session is back".into())
}

pub(in crate::store::conformance) async fn jumping_clock(bench: Bench) -> Outcome {
    let record = bench.created().await?;
    // A node whose clock is ahead reads and touches.
    let ahead = Record { seen: bench.now + HOUR / 2, ..record.clone() };
    let touch = Write { expires: bench.until() + HOUR / 2, ..bench.write(&ahead, Over::Touch) };
    bench.saves(touch, "a touch by a clock that is ahead").await?;
    // One whose clock is behind goes on all the same.
    let behind = Record { seen: bench.now - HOUR, ..updated(&record) };
    bench.saves(bench.write(&behind, Over::Version(1)), "an update by a clock that is behind").await?;
    bench.finds(&Record { seen: ahead.seen, ..behind.clone() }).await?;
    let loaded = bench.load_at(&behind.id, bench.now - 24 * HOUR).await?;
    expect(matches!(loaded, Loaded::Found(_)), || "gone for a clock that is a day behind".into())
}

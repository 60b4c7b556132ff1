//! The life of the store itself, if it has one.

use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::store::conformance::bench::{Bench, HOUR};
use crate::store::{Over, Write};

pub(in crate::store::conformance) async fn sweeping(bench: Bench) -> Outcome {
    let Some(service) = bench.store.service() else { return Ok(()) };
    let live = bench.created().await?;
    let long_ago = bench.now - 24 * HOUR;
    let expired = Record { created: long_ago, seen: long_ago, ..bench.record()? };
    let write = Write { expires: long_ago + HOUR, ..bench.write(&expired, Over::Nothing) };
    bench.saves(write, "creating").await?;
    let mut rounds = 0;
    while service.sweep(bench.now).await? > 0 {
        rounds += 1;
        expect(rounds < 100_000, || "sweeping does not come to an end".into())?;
    }
    bench.finds(&live).await?;
    bench.misses(&expired.id).await
}

/// Other nodes, and the store, know that it is not so late yet.
pub(in crate::store::conformance) async fn swept_by_a_clock_ahead(bench: Bench) -> Outcome {
    let Some(service) = bench.store.service() else { return Ok(()) };
    let live = bench.created().await?;
    service.sweep(bench.until() + HOUR).await?;
    bench.finds(&live).await
}

pub(in crate::store::conformance) async fn started_again(bench: Bench) -> Outcome {
    let Some(service) = bench.store.service() else { return Ok(()) };
    let record = bench.created().await?;
    service.start().await?;
    bench.finds(&record).await
}

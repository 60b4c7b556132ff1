//! Ending sessions: by their tickets, by the hashes of their ids, and all of a subject.

use crate::contract::{Outcome, expect, random_id};
use crate::record::id::IdHash;
use crate::store::Over;
use crate::store::conformance::bench::{Bench, renewed, updated};

pub(in crate::store::conformance) async fn delete_is_idempotent(bench: Bench) -> Outcome {
    let (ended, other) = (bench.created().await?, bench.created().await?);
    bench.delete(&ended.id).await?;
    bench.delete(&ended.id).await?;
    bench.delete(&random_id()?).await?;
    bench.store.delete("not an id").await?;
    bench.misses(&ended.id).await?;
    bench.finds(&other).await
}

pub(in crate::store::conformance) async fn delete_follows_renewals(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let mut last = first.clone();
    for _ in 0..3 {
        let next = renewed(&last)?;
        bench.saves(bench.write(&next, Over::Renewed(&last)), "a renewal").await?;
        last = next;
    }
    bench.delete(&first.id).await?;
    bench.misses(&last.id).await
}

pub(in crate::store::conformance) async fn delete_follows_a_dead_ticket(bench: Bench) -> Outcome {
    let ticket = bench.ended().await?.id.to_text();
    let signed_in = bench.record_of(&bench.subject()?)?;
    let over = Over::Dead { ticket: &ticket, proven: true };
    bench.saves(bench.write(&signed_in, over), "a sign-in over a dead ticket").await?;
    let new = renewed(&signed_in)?;
    bench.saves(bench.write(&new, Over::Renewed(&signed_in)), "a renewal").await?;
    bench.store.delete(&ticket).await?;
    bench.misses(&new.id).await
}

pub(in crate::store::conformance) async fn end_by_hash(bench: Bench) -> Outcome {
    let Some(revoke) = bench.store.revoke() else { return Ok(()) };
    let (ended, other, old) =
        (bench.created().await?, bench.created().await?, bench.created_for(&bench.subject()?).await?);
    let new = renewed(&old)?;
    bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal").await?;
    for id in [ended.id, ended.id, random_id()?, old.id] {
        revoke.end(&IdHash::of(&id)).await?;
    }
    bench.misses(&ended.id).await?;
    bench.misses(&new.id).await?;
    bench.finds(&other).await
}

pub(in crate::store::conformance) async fn end_all_but_one(bench: Bench) -> Outcome {
    let Some(revoke) = bench.store.revoke() else { return Ok(()) };
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    let other = bench.created_for(&bob).await?;
    let (one, two, mine) =
        (bench.created_for(&ada).await?, bench.created_for(&ada).await?, bench.created_for(&ada).await?);
    let ended = revoke.end_all(&ada, Some(&IdHash::of(&mine.id)), bench.now).await?;
    expect(ended == 2, || format!("{ended} sessions were ended, not 2"))?;
    bench.misses(&one.id).await?;
    bench.misses(&two.id).await?;
    bench.finds(&mine).await?;
    bench.finds(&other).await?;
    let late = updated(&one);
    bench.refuses(bench.write(&late, Over::Version(1)), "an update of a session that was ended").await?;
    let ended = revoke.end_all(&ada, None, bench.now).await?;
    expect(ended == 1, || format!("{ended} sessions were ended, not the last one"))?;
    bench.misses(&mine.id).await
}

/// Expired for the one who ends them, the sessions live on for a node whose clock is behind.
pub(in crate::store::conformance) async fn end_all_by_a_clock_ahead(bench: Bench) -> Outcome {
    let Some(revoke) = bench.store.revoke() else { return Ok(()) };
    let ada = bench.subject()?;
    let (one, mine) = (bench.created_for(&ada).await?, bench.created_for(&ada).await?);
    revoke.end_all(&ada, Some(&IdHash::of(&mine.id)), bench.until() + 1).await?;
    bench.misses(&one.id).await?;
    bench.finds(&mine).await
}

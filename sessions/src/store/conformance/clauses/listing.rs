//! Lists of a subject's sessions, by a store that can list.

use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::record::id::IdHash;
use crate::store::conformance::bench::{Bench, renewed, updated};
use crate::store::{Over, RENEWAL_GRACE};

pub(in crate::store::conformance) async fn listed_by_subject(bench: Bench) -> Outcome {
    let Some(list) = bench.store.list() else { return Ok(()) };
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    bench.lists(&ada, &[]).await?;
    let first = bench.created_for(&ada).await?;
    let other = Record { remembered: true, ..bench.record_of(&bob)? };
    bench.saves(bench.write(&other, Over::Nothing), "creating").await?;
    let anonymous = bench.created().await?;
    let later = Record { subject: Some(ada.clone()), ..updated(&anonymous) };
    bench.saves(bench.write(&later, Over::Version(1)), "an update").await?;
    let anonymous = bench.created().await?;
    let new = Record { subject: Some(ada.clone()), ..renewed(&anonymous)? };
    bench.saves(bench.write(&new, Over::Renewed(&anonymous)), "a renewal").await?;
    bench.lists(&ada, &[&first, &later, &new]).await?;
    bench.lists(&bob, &[&other]).await?;
    let listed = list.of_subject(&bob, bench.now).await?;
    let same = listed.iter().all(|listed| {
        (listed.created, listed.seen, listed.signed_in) == (other.created, other.seen, other.signed_in)
            && (listed.remembered, &listed.data) == (other.remembered, &other.data)
    });
    expect(same, || "a listed session is not as it was written".into())
}

pub(in crate::store::conformance) async fn not_listed_when_ended(bench: Bench) -> Outcome {
    let Some(list) = bench.store.list() else { return Ok(()) };
    let (ada, bob) = (bench.subject()?, bench.subject()?);
    let (ended, handed, stays) =
        (bench.created_for(&ada).await?, bench.created_for(&ada).await?, bench.created_for(&ada).await?);
    bench.delete(&ended.id).await?;
    let handed = Record { subject: Some(bob.clone()), ..updated(&handed) };
    bench.saves(bench.write(&handed, Over::Version(1)), "an update").await?;
    bench.lists(&ada, &[&stays]).await?;
    bench.lists(&bob, &[&handed]).await?;
    let late = list.of_subject(&ada, bench.until()).await?;
    expect(late.is_empty(), || "an expired session is listed".into())
}

pub(in crate::store::conformance) async fn successor_is_known(bench: Bench) -> Outcome {
    let Some(list) = bench.store.list() else { return Ok(()) };
    let old = bench.created().await?;
    let ticket = old.id.to_text();
    let becomes = async |expected: Option<&Record>, now| {
        let found = list.successor(&ticket, now).await?;
        expect(found == expected.map(|record| IdHash::of(&record.id)), || format!("{found:?} was named"))
    };
    becomes(None, bench.now).await?;
    let new = Record { subject: Some(bench.subject()?), ..renewed(&old)? };
    bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal").await?;
    becomes(Some(&new), bench.now).await?;
    let last = renewed(&new)?;
    bench.saves(bench.write(&last, Over::Renewed(&new)), "a renewal").await?;
    becomes(Some(&last), bench.now).await?;
    becomes(None, bench.now + RENEWAL_GRACE).await?;
    bench.delete(&last.id).await?;
    becomes(None, bench.now).await
}

//! Going through everyone's sessions, by a store that can.

use std::collections::BTreeSet;

use crate::clock::UnixSeconds;
use crate::contract::{Failed, Outcome, expect};
use crate::record::Record;
use crate::record::id::IdHash;
use crate::store::conformance::bench::{Bench, renewed, updated};
use crate::store::{Everyone, Over};

/// What comes on all pages: the sessions, and those that were renewed a moment ago.
async fn all(everyone: &dyn Everyone, now: UnixSeconds) -> Result<[BTreeSet<IdHash>; 2], Failed> {
    let (mut sessions, mut renewed) = (BTreeSet::new(), BTreeSet::new());
    let mut from = Vec::new();
    loop {
        let page = everyone.page(&from, now).await?;
        sessions.extend(page.sessions.iter().map(|session| session.id));
        renewed.extend(page.renewed.iter().map(|(old, _)| *old));
        match page.next {
            Some(next) => from = next,
            None => return Ok([sessions, renewed]),
        }
    }
}

fn are_in(set: &BTreeSet<IdHash>, records: &[&Record]) -> bool {
    records.iter().all(|record| set.contains(&IdHash::of(&record.id)))
}

pub(in crate::store::conformance) async fn signed_in_alone(bench: Bench) -> Outcome {
    let Some(everyone) = bench.store.everyone() else { return Ok(()) };
    let (ada, bob) =
        (bench.created_for(&bench.subject()?).await?, bench.created_for(&bench.subject()?).await?);
    let (ended, anonymous) = (bench.created_for(&bench.subject()?).await?, bench.created().await?);
    bench.delete(&ended.id).await?;
    let later = bench.created().await?;
    let later = Record { subject: Some(bench.subject()?), ..updated(&later) };
    bench.saves(bench.write(&later, Over::Version(1)), "an update").await?;
    let [sessions, _] = all(everyone, bench.now).await?;
    expect(are_in(&sessions, &[&ada, &bob, &later]), || "a session of somebody is missed".into())?;
    for gone in [&ended, &anonymous] {
        expect(!are_in(&sessions, &[gone]), || "one comes that has ended, or has no subject".into())?;
    }
    let [late, _] = all(everyone, bench.until()).await?;
    expect(!are_in(&late, &[&ada]), || "an expired session comes".into())
}

pub(in crate::store::conformance) async fn by_old_hashes_too(bench: Bench) -> Outcome {
    let (Some(everyone), Some(revoke)) = (bench.store.everyone(), bench.store.revoke()) else {
        return Ok(());
    };
    let first = bench.created_for(&bench.subject()?).await?;
    let second = renewed(&first)?;
    bench.saves(bench.write(&second, Over::Renewed(&first)), "a renewal").await?;
    let third = renewed(&second)?;
    bench.saves(bench.write(&third, Over::Renewed(&second)), "a renewal").await?;
    let [sessions, renewed] = all(everyone, bench.now).await?;
    expect(are_in(&sessions, &[&third]), || "what the session has become is missed".into())?;
    expect(are_in(&renewed, &[&first, &second]), || "a hash from before a renewal is missed".into())?;
    revoke.end(&IdHash::of(&first.id)).await?;
    bench.misses(&third.id).await
}

//! New ids, and what stays under the old ones.

use crate::contract::{Outcome, expect};
use crate::record::Record;
use crate::store::conformance::bench::{Bench, HOUR, describe, renewed, updated};
use crate::store::{Loaded, Over, RENEWAL_GRACE, Write};

pub(in crate::store::conformance) async fn renewal_moves(bench: Bench) -> Outcome {
    let subject = bench.subject()?;
    let old = bench.created_for(&subject).await?;
    let new = renewed(&old)?;
    bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal").await?;
    bench.finds(&new).await?;
    bench.is_superseded(&old.id).await?;
    bench.lists(&subject, &[&new]).await
}

pub(in crate::store::conformance) async fn stale_renewal(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    let theirs = updated(&old);
    bench.saves(bench.write(&theirs, Over::Version(1)), "an update").await?;
    let new = renewed(&old)?;
    bench.refuses(bench.write(&new, Over::Renewed(&old)), "a renewal of an older version").await?;
    bench.finds(&theirs).await?;
    bench.misses(&new.id).await
}

pub(in crate::store::conformance) async fn renewal_brings_nothing_back(bench: Bench) -> Outcome {
    let ended = bench.ended().await?;
    let new = renewed(&ended)?;
    bench.refuses(bench.write(&new, Over::Renewed(&ended)), "a renewal after a delete").await?;
    bench.misses(&ended.id).await?;
    bench.misses(&new.id).await?;
    let expired = bench.created().await?;
    let new = Record { seen: bench.until(), ..renewed(&expired)? };
    let write = Write { expires: bench.until() + HOUR, ..bench.write(&new, Over::Renewed(&expired)) };
    bench.refuses(write, "a renewal after expiry").await?;
    bench.misses(&new.id).await
}

pub(in crate::store::conformance) async fn renewal_to_a_taken_id(bench: Bench) -> Outcome {
    let (old, other) = (bench.created().await?, bench.created().await?);
    let new = Record { version: 2, data: "{}".into(), ..other.clone() };
    bench.refuses(bench.write(&new, Over::Renewed(&old)), "a renewal to an id that is taken").await?;
    bench.finds(&old).await?;
    bench.finds(&other).await
}

pub(in crate::store::conformance) async fn superseded_for_a_minute(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    let new = renewed(&old)?;
    bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal").await?;
    let last = bench.load_at(&old.id, bench.now + RENEWAL_GRACE - 1).await?;
    let superseded = matches!(last, Loaded::Superseded(_));
    expect(superseded, || format!("{} a second before the minute is over", describe(&last)))?;
    let after = bench.load_at(&old.id, bench.now + RENEWAL_GRACE).await?;
    expect(after == Loaded::Missing, || format!("{} after the minute", describe(&after)))?;
    for over in [Over::Version(1), Over::Touch] {
        bench.refuses(bench.write(&updated(&old), over), "a write under a superseded id").await?;
    }
    let again = renewed(&old)?;
    bench.refuses(bench.write(&again, Over::Renewed(&old)), "a renewal of a superseded id").await?;
    bench.misses(&again.id).await?;
    bench.finds(&new).await
}

pub(in crate::store::conformance) async fn anonymous_stays_readable(bench: Bench) -> Outcome {
    let old = bench.created().await?;
    let new = Record { subject: Some(bench.subject()?), ..renewed(&old)? };
    bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal").await?;
    for later in [0, RENEWAL_GRACE - 1] {
        let loaded = bench.load_at(&old.id, bench.now + later).await?;
        let same = matches!(&loaded, Loaded::Superseded(Some(left)) if **left == old);
        expect(same, || format!("{} was loaded, not the session as it was", describe(&loaded)))?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn signed_in_leaves_nothing(bench: Bench) -> Outcome {
    let old = bench.created_for(&bench.subject()?).await?;
    bench.saves(bench.write(&renewed(&old)?, Over::Renewed(&old)), "a renewal").await?;
    let loaded = bench.load(&old.id).await?;
    expect(loaded == Loaded::Superseded(None), || format!("{} was loaded", describe(&loaded)))
}

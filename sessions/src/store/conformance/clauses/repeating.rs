//! Writes whose answer was lost, so that they are sent again.

use crate::contract::Outcome;
use crate::store::Over;
use crate::store::conformance::bench::{Bench, renewed, updated};

pub(in crate::store::conformance) async fn create_twice(bench: Bench) -> Outcome {
    let subject = bench.subject()?;
    let record = bench.created_for(&subject).await?;
    bench.saves(bench.write(&record, Over::Nothing), "the same create again").await?;
    bench.finds(&record).await?;
    bench.lists(&subject, &[&record]).await?;
    let (dead, second) = (bench.ended().await?.id.to_text(), bench.record_of(&subject)?);
    for _ in 0..2 {
        let over = Over::Dead { ticket: &dead, proven: true };
        bench.saves(bench.write(&second, over), "a sign-in over a dead ticket, also again,").await?;
    }
    bench.lists(&subject, &[&record, &second]).await
}

pub(in crate::store::conformance) async fn update_twice(bench: Bench) -> Outcome {
    let first = bench.created().await?;
    let second = updated(&first);
    for _ in 0..2 {
        bench.saves(bench.write(&second, Over::Version(1)), "an update, also again,").await?;
        bench.finds(&second).await?;
    }
    let theirs = updated(&second);
    bench.saves(bench.write(&theirs, Over::Version(2)), "an update").await?;
    bench.refuses(bench.write(&second, Over::Version(1)), "an update again, after another one,").await?;
    bench.finds(&theirs).await
}

pub(in crate::store::conformance) async fn renewal_twice(bench: Bench) -> Outcome {
    let subject = bench.subject()?;
    let old = bench.created_for(&subject).await?;
    let new = renewed(&old)?;
    for _ in 0..2 {
        bench.saves(bench.write(&new, Over::Renewed(&old)), "a renewal, also again,").await?;
        bench.finds(&new).await?;
        bench.is_superseded(&old.id).await?;
        bench.lists(&subject, &[&new]).await?;
    }
    bench.delete(&new.id).await?;
    bench.lists(&subject, &[]).await
}

//! New sessions of browsers that came with the ticket of one that is gone.

use crate::contract::{Failed, Outcome, expect, random_id};
use crate::record::Record;
use crate::store::conformance::bench::{Bench, HOUR, describe};
use crate::store::{Loaded, Over, RENEWAL_GRACE, Write};

/// Tickets that are dead in every way: deleted, never there, expired but perhaps not yet swept.
async fn dead_tickets(bench: &Bench) -> Result<[String; 3], Failed> {
    let expired = Record { seen: bench.now - 2 * HOUR, ..bench.record()? };
    let write = Write { expires: bench.now - HOUR, ..bench.write(&expired, Over::Nothing) };
    bench.saves(write, "creating").await?;
    let all = [bench.ended().await?.id, random_id()?, expired.id];
    Ok(all.map(|id| id.to_text()))
}

pub(in crate::store::conformance) async fn sign_in_supersedes(bench: Bench) -> Outcome {
    for ticket in &dead_tickets(&bench).await? {
        let record = bench.record_of(&bench.subject()?)?;
        let over = Over::Dead { ticket, proven: true };
        bench.saves(bench.write(&record, over), "a sign-in over a dead ticket").await?;
        bench.finds(&record).await?;
        let loaded = bench.store.load(ticket, bench.now).await?;
        expect(loaded == Loaded::Superseded(None), || format!("a dead ticket is {}", describe(&loaded)))?;
        let after = bench.store.load(ticket, bench.now + RENEWAL_GRACE).await?;
        expect(after == Loaded::Missing, || format!("{} after the minute", describe(&after)))?;
    }
    let record = bench.record_of(&bench.subject()?)?;
    let over = Over::Dead { ticket: "not an id", proven: true };
    bench.saves(bench.write(&record, over), "a sign-in over an unreadable ticket").await?;
    bench.finds(&record).await
}

pub(in crate::store::conformance) async fn anonymous_is_kept(bench: Bench) -> Outcome {
    for ticket in &dead_tickets(&bench).await? {
        let record = bench.record()?;
        let over = Over::Dead { ticket, proven: false };
        bench.saves(bench.write(&record, over), "an anonymous write over a dead ticket").await?;
        bench.finds(&record).await?;
        let loaded = bench.store.load(ticket, bench.now).await?;
        expect(loaded == Loaded::Missing, || format!("a dead ticket is {}", describe(&loaded)))?;
    }
    Ok(())
}

pub(in crate::store::conformance) async fn anonymous_gives_way(bench: Bench) -> Outcome {
    for ticket in &dead_tickets(&bench).await? {
        let signed_in = bench.record_of(&bench.subject()?)?;
        let over = Over::Dead { ticket, proven: true };
        bench.saves(bench.write(&signed_in, over), "a sign-in over a dead ticket").await?;
        let anonymous = bench.record()?;
        let over = Over::Dead { ticket, proven: false };
        bench.refuses(bench.write(&anonymous, over), "an anonymous write after a sign-in").await?;
        bench.misses(&anonymous.id).await?;
        bench.finds(&signed_in).await?;
        let later = Record { seen: bench.now + RENEWAL_GRACE, ..anonymous };
        let over = Over::Dead { ticket, proven: false };
        bench.saves(bench.write(&later, over), "an anonymous write after the minute").await?;
        bench.finds(&later).await?;
    }
    Ok(())
}

//! A second server next to the first.

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "second-node",
    group: Group::Operation,
    question: "Does a second server know the session?",
    steps: &[
        "Ada signs in at the first server.",
        "A second one has the same key, and nothing else in common with the first: neither its store nor its ledger. Ada asks it.",
        "A third one, started a minute later, has the same key and the same store settings. Ada asks it: it holds when this one knows her.",
    ],
    need: "several servers, without sticky routing",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let first = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&first, "/login/ada").await?;
    let second = bench.node_with_the_key_alone("second server", &first).await?;
    let by_key = ada.get(&second, "/profile").await?.user().is_some();
    bench.advance(Duration::minutes(1));
    let third = bench.another_node("third server").await?;
    let by_store = ada.get(&third, "/profile").await?.user().is_some();
    let has_ledger = first.kept.log.is_some();
    Ok(match (by_key, by_store) {
        (true, true) if has_ledger => Verdict::Holds(
            "another server knows the session if it has the same key and the same ledger; one that has the key and no ledger knows it too, but would also know one that was signed out"
                .into(),
        ),
        (true, true) => Verdict::Holds(
            "another server that has the same key knows the session, with nothing else in common".into(),
        ),
        (false, true) => Verdict::Holds(
            "another server knows the session if it has the same store; the key alone is not enough".into(),
        ),
        (_, false) if has_ledger => Verdict::DoesNotHold(
            "no other server that has a ledger knows the session: this ledger lives inside one process".into(),
        ),
        (_, false) => Verdict::DoesNotHold(
            "no other server knows the session: this store lives inside one process".into(),
        ),
    })
}

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
        "A second one shares nothing but the key. Ada asks it.",
        "A third one, started a minute later, has the key and the same setting of the store. Ada asks it.",
        "It holds when the third one knows her.",
    ],
    need: "several servers without sticky routing",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let first = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&first, "/login/ada").await;
    let second = bench.node_with_the_key_alone(&first).await?;
    let by_key = ada.get(&second, "/profile").await.user().is_some();
    bench.advance(Duration::minutes(1));
    let third = bench.node().await?;
    let by_store = ada.get(&third, "/profile").await.user().is_some();
    Ok(match (by_key, by_store) {
        (true, true) => Verdict::Holds(
            "a second server that has the same key knows the session: nothing else is shared".into(),
        ),
        (false, true) => Verdict::Holds(
            "a second server knows the session once it shares the store; the key alone is not enough".into(),
        ),
        (_, false) => Verdict::DoesNotHold(
            "a second server does not know the session: this store lives inside one process".into(),
        ),
    })
}

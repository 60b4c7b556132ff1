//! The store's server goes away for a while.

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "store-outage",
    group: Group::Operation,
    question: "Do sessions go on while the store is down?",
    steps: &[
        "Ada signs in and counts a visit.",
        "Another process is asked, to see whether there is a store that could be down by itself.",
        "The server of the store or of the ledger, if there is one, stops answering, and half a minute goes by.",
        "Ada counts another visit.",
        "The server of the store is back. Ada looks at her session.",
    ],
    need: "a site that goes on without its database",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await;
    ada.post(&node, "/visits").await;
    if node.keeps_something() && !bench.outlives_the_process(&ada).await? {
        return Ok(Verdict::NotApplicable(
            "the store is a part of the process: it is down when the server is, which the restart shows"
                .into(),
        ));
    }
    bench.server_down(true);
    bench.advance(Duration::seconds(30));
    let during = ada.post(&node, "/visits").await;
    bench.server_down(false);
    let after = ada.get(&node, "/profile").await;
    let intact = after.user() == Some("ada") && after.count("visits") >= 1;
    Ok(match (during.status, intact) {
        (200, true) => {
            Verdict::Holds("there is no server that could be down: every request was answered".into())
        }
        (status, true) => Verdict::DoesNotHold(format!(
            "while it is down the answer is {status}; the session itself was there again afterwards"
        )),
        (status, false) => {
            Verdict::DoesNotHold(format!("the answer was {status}, and afterwards the session was lost"))
        }
    })
}

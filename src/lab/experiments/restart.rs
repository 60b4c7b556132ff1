//! The server is restarted.

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "restart",
    group: Group::Operation,
    question: "Does the session survive a restart of the server?",
    steps: &[
        "Ada signs in and counts a visit.",
        "The server is stopped, and started again a minute later with the same key and the same store settings.",
        "Ada comes back.",
    ],
    need: "sessions that outlive a restart or a new release",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    ada.post(&node, "/visits").await?;
    node.client.terminate().await;
    bench.tell("The server is stopped.");
    bench.advance(Duration::minutes(1));
    let node = bench.node().await?;
    bench.tell("It is started again.");
    let after = ada.get(&node, "/profile").await?;
    Ok(match (after.user(), after.count("visits")) {
        (Some("ada"), 1) => Verdict::Holds("Ada is signed in and her visit is counted, as before".into()),
        _ => Verdict::DoesNotHold(format!("Ada has to sign in again: her cookie is {}", after.arrival())),
    })
}

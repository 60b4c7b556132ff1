//! A request that takes longer than most of the idle timeout.

use rocket::tokio::try_join;
use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "long-request-and-idle",
    group: Group::Concurrency,
    question: "Does a long request leave the session alive that other requests have kept alive?",
    steps: &[
        "The idle timeout is 30 minutes. Ada sends a slow request.",
        "25 minutes later she opens a page, and the slow request ends with a change.",
        "10 minutes later she opens another page.",
    ],
    need: "long downloads, uploads and polls that sign nobody out",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let meanwhile = async {
        node.gate.arrivals(1).await;
        bench.advance(Duration::minutes(25));
        ada.get(&node, "/profile").await?;
        node.gate.let_through(1);
        Ok(())
    };
    try_join!(ada.post(&node, "/slow/visits"), meanwhile)?;
    bench.advance(Duration::minutes(10));
    let after = ada.get(&node, "/profile").await?;
    Ok(match (after.user(), after.count("visits")) {
        (Some("ada"), 1) => Verdict::Holds(
            "ten minutes later Ada is still signed in, and the change of the slow request was kept".into(),
        ),
        (Some("ada"), _) => {
            Verdict::DoesNotHold("Ada is still signed in, but the change of the slow request was lost".into())
        }
        _ => Verdict::DoesNotHold(format!(
            "ten minutes later Ada is signed out: her cookie is {}",
            after.arrival()
        )),
    })
}

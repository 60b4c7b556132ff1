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
        "Another process with the same settings is asked, to see whether the sessions are anywhere but in the first one.",
        "The database of the store or the ledger, if there is one, stops answering, and half a minute passes.",
        "Ada counts another visit.",
        "The database is back. Ada looks at her session.",
    ],
    need: "everybody to go on while the database is down",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    ada.post(&node, "/visits").await?;
    if node.keeps_something() && !bench.outlives_the_process(&ada).await? {
        return Ok(Verdict::NotApplicable(
            "the store is a part of the server’s process, and is down only when the server is".into(),
        ));
    }
    bench.server_down(true);
    bench.advance(Duration::seconds(30));
    let during = ada.try_post(&node, "/visits").await;
    bench.decided_by(during.number);
    bench.server_down(false);
    let after = ada.get(&node, "/profile").await?;
    let intact = after.user() == Some("ada") && after.count("visits") >= 1;
    Ok(match (during.status, intact) {
        (200, true) => {
            Verdict::Holds("there is no database that could be down: every request was answered".into())
        }
        (status, true) => Verdict::DoesNotHold(format!(
            "while it was down the answer was {status}; the session was there again afterwards"
        )),
        (status, false) => {
            Verdict::DoesNotHold(format!("the answer was {status}, and afterwards the session was lost"))
        }
    })
}

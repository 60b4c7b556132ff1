//! An older cookie of the same session, put back.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "rollback",
    group: Group::Theft,
    question: "Does the session keep its state when an older cookie is put back?",
    steps: &[
        "A visitor counts one visit and saves the cookie.",
        "They count two more.",
        "They put the saved cookie back and look: is it three visits or one?",
    ],
    need: "counts that no old cookie can set back",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let visitor = bench.browser("visitor");
    visitor.post(&node, "/visits").await?;
    let saved = visitor.cookies();
    visitor.post(&node, "/visits").await?;
    let last = visitor.post(&node, "/visits").await?.count("visits");
    visitor.put(saved);
    let back = visitor.get(&node, "/profile").await?.count("visits");
    Ok(Verdict::of(
        back == 3 && last == 3,
        match (last, back) {
            (3, 3) => {
                "the old cookie only names the session, and the server has the current count: 3 visits".into()
            }
            (last, back) => format!("after {last} visits the old cookie brings back the count of {back}"),
        },
    ))
}

//! An older cookie of the same session, put back.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "rollback",
    group: Group::Theft,
    question: "Does the session stay as it is when an older cookie of it is put back?",
    steps: &[
        "A visitor counts one visit and saves the cookie.",
        "They count two more.",
        "They put the saved cookie back and look: is it three visits or one?",
    ],
    need: "what was counted in the session to stay counted",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let visitor = bench.browser("visitor");
    visitor.post(&node, "/visits").await;
    let saved = visitor.cookies();
    visitor.post(&node, "/visits").await;
    let last = visitor.post(&node, "/visits").await.count("visits");
    visitor.put(saved);
    let back = visitor.get(&node, "/profile").await.count("visits");
    Ok(Verdict::of(
        back == 3 && last == 3,
        match back {
            3 => "the old cookie names the session, and the server knows how it stands: 3 visits".into(),
            back => format!("after {last} visits the old cookie brings the session back as it was: {back}"),
        },
    ))
}

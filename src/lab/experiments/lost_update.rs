//! Two requests of one browser that overlap.

use rocket::tokio::try_join;

use crate::lab::bench::{Bench, Browser, Node};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "lost-update",
    group: Group::Concurrency,
    question: "Can the app keep both changes of two requests that overlap?",
    steps: &[
        "Different fields: two requests load the session, then one counts a visit and the other a like.",
        "The same field: two requests load the session, then both count a visit.",
        "Taking turns: two requests that ask to have the session to themselves each count a visit. It holds when these two, and the changes of different fields, are all kept.",
    ],
    need: "no change lost when requests overlap",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let visitor = bench.browser("visitor");
    visitor.post(&node, "/visits").await?;
    together(&visitor, &node, "/slow/visits", "/slow/likes").await?;
    let seen = visitor.get(&node, "/profile").await?;
    bench.decided_by(seen.number);
    let different = seen.count("visits").saturating_sub(1) + seen.count("likes");
    let before = seen.count("visits");
    together(&visitor, &node, "/slow/visits", "/slow/visits").await?;
    let between = visitor.get(&node, "/profile").await?.count("visits");
    try_join!(visitor.post(&node, "/exclusive/visits"), visitor.post(&node, "/exclusive/visits"))?;
    let after = visitor.get(&node, "/profile").await?;
    bench.decided_by(after.number);
    let after = after.count("visits");
    let (same, turns) = (between.saturating_sub(before), after.saturating_sub(between));
    Ok(match (different, turns) {
        (2, 2) => Verdict::Holds(format!(
            "both changes of different fields were kept, and both visits where the requests took turns; without turns, {same} of 2 visits was counted"
        )),
        (2, turns) => Verdict::DoesNotHold(format!(
            "of 2 visits {turns} was counted, although the requests asked to take turns"
        )),
        (_, 2) => Verdict::DoesNotHold(
            "of a visit and a like at the same time one was lost; only requests that take turns lose nothing".into(),
        ),
        _ => Verdict::DoesNotHold(
            "of a visit and a like at the same time one was lost, and one of two visits too, even where the requests asked to take turns: with the whole session in the cookie, the server cannot see that two requests overlap"
                .into(),
        ),
    })
}

/// Both have loaded the session before either goes on.
async fn together(browser: &Browser<'_>, node: &Node, one: &str, other: &str) -> Result<(), String> {
    try_join!(browser.post(node, one), browser.post(node, other), node.gate.meeting(2)).map(drop)
}

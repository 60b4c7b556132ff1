//! A copied cookie, sent again after its owner has signed out.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "replay-after-logout",
    group: Group::Theft,
    question: "Is a copy of the cookie dead once its owner has signed out?",
    steps: &[
        "Ada signs in, and somebody copies her cookie.",
        "The copy is tried once: it is a session like hers.",
        "Ada signs out.",
        "The copy is sent again.",
    ],
    need: "a copied cookie that is dead after sign-out",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let thief = ada.copied_by("copy of her cookie");
    thief.has_to_be("ada", &node).await?;
    ada.post(&node, "/logout").await?;
    let replayed = thief.get(&node, "/profile").await?;
    Ok(match replayed.user() {
        None => Verdict::Holds(format!(
            "after the sign-out the copy signs nobody in: it is {}",
            replayed.arrival()
        )),
        Some(user) => Verdict::DoesNotHold(format!(
            "the copy is still signed in as {user}, until a timeout ends it: the server keeps nothing that it could end"
        )),
    })
}

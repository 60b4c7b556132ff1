//! A sign-in whose answer never arrives.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "answer-lost",
    group: Group::Concurrency,
    question: "Can a visitor sign in again at once when the answer to the sign-in was lost?",
    steps: &[
        "Ada visits once, then signs in. The connection breaks before the answer arrives.",
        "Her browser still has the old cookie. It opens the page again.",
        "She signs in again.",
    ],
    need: "a sign-in that survives a broken connection",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/visits").await?;
    ada.post_and_lose(&node, "/login/ada").await?;
    let between = ada.get(&node, "/profile").await?;
    ada.post(&node, "/login/ada").await?;
    let after = ada.get(&node, "/profile").await?;
    let (user, visits) = (after.user(), after.count("visits"));
    let until_then = match between.user() {
        Some(_) => "her old cookie signed her in",
        None => "her old cookie signed nobody in",
    };
    Ok(match (user, visits) {
        (Some("ada"), 1) => {
            Verdict::Holds(format!("the second sign-in worked and kept her visit; until then {until_then}"))
        }
        (Some("ada"), _) => Verdict::DoesNotHold(format!(
            "the second sign-in worked, but her visit was lost; until then {until_then}"
        )),
        _ => Verdict::DoesNotHold(format!(
            "nobody is signed in after the second sign-in; until then {until_then}"
        )),
    })
}

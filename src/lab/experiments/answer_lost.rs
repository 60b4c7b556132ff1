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
    ada.post(&node, "/visits").await;
    let before = ada.cookies();
    ada.post(&node, "/login/ada").await;
    ada.put(before);
    let between = ada.get(&node, "/profile").await;
    ada.post(&node, "/login/ada").await;
    let after = ada.get(&node, "/profile").await;
    let (user, visits) = (after.user(), after.count("visits"));
    Ok(Verdict::of(
        user == Some("ada") && visits == 1,
        format!(
            "after the second sign-in {}, with {visits} of 1 visit (until then the old cookie was: {})",
            user.map_or("nobody is signed in".into(), |user| format!("{user} is signed in")),
            between.arrival(),
        ),
    ))
}

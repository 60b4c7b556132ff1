//! A cookie that was planted before its victim signed in.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "fixation",
    group: Group::Theft,
    question: "Does a planted cookie stay anonymous when its victim signs in?",
    steps: &[
        "An attacker opens a session and plants its cookie in Ada’s browser.",
        "Ada signs in with it, and is signed in.",
        "The attacker sends the planted cookie again, at once and two minutes later, when the server no longer remembers the old id.",
    ],
    need: "a sign-in that carries nobody else along",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let attacker = bench.browser("attacker");
    attacker.post(&node, "/visits").await?;
    let (ada, planted) = (attacker.copied_by("Ada"), attacker.cookies());
    let signed_in = ada.post(&node, "/login/ada").await?;
    if !signed_in.resumed() {
        return Err(format!("what was planted was no session: Ada signed in with {}", signed_in.arrival()));
    }
    ada.has_to_be("ada", &node).await?;
    let at_once = attacker.get(&node, "/profile").await?;
    bench.advance(time::Duration::minutes(2));
    attacker.put(planted);
    let later = attacker.get(&node, "/profile").await?;
    bench.decided_by(at_once.number);
    bench.decided_by(later.number);
    let carried = at_once.user().is_some() || later.user().is_some();
    Ok(Verdict::of(
        !carried,
        if carried {
            "the attacker is signed in as Ada".to_owned()
        } else {
            "Ada’s session got a new id, and the planted cookie signs nobody in".to_owned()
        },
    ))
}

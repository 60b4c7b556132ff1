//! Servers whose clocks disagree.

use time::Duration;

use crate::lab::bench::{Bench, Setup};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "clock-skew",
    group: Group::Operation,
    question: "Do servers whose clocks differ a little agree, and is a session that was issued a day ahead refused?",
    steps: &[
        "Ada signs in at a server whose clock is 45 seconds ahead of another, which is otherwise identical, and is signed in there.",
        "She asks the other one.",
        "Bob signs in at a server whose clock is a day ahead, and is signed in there: his session would outlive both timeouts.",
        "He asks the server whose clock is right.",
    ],
    need: "several servers whose clocks are only nearly right",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let right = bench.node().await?;
    let ahead =
        |name, by| Setup { name: Some(name), kept: Some(right.kept.clone()), ahead: by, ..Setup::default() };
    let a_little = bench.node_with(ahead("server, 45 s ahead", Duration::seconds(45))).await?;
    let a_day = bench.node_with(ahead("server, a day ahead", Duration::days(1))).await?;
    let (ada, bob) = (bench.browser("Ada"), bench.browser("Bob"));
    ada.post(&a_little, "/login/ada").await?;
    ada.has_to_be("ada", &a_little).await?;
    let near = ada.get(&right, "/profile").await?;
    bob.post(&a_day, "/login/bob").await?;
    bob.has_to_be("bob", &a_day).await?;
    let far = bob.get(&right, "/profile").await?;
    bench.decided_by(near.number);
    bench.decided_by(far.number);
    Ok(match (near.user(), far.user()) {
        (Some(_), None) => Verdict::Holds(
            "a clock 45 seconds ahead does no harm, and a session that was issued a day ahead is refused"
                .into(),
        ),
        (None, _) => Verdict::DoesNotHold(format!(
            "a clock 45 seconds ahead signed Ada out: her cookie is {}",
            near.arrival()
        )),
        (_, Some(_)) => {
            Verdict::DoesNotHold("a session that was issued a day ahead is taken for a live one".into())
        }
    })
}

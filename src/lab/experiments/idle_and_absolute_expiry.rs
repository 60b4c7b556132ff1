//! Both limits of a session, against the server's clock.

use std::iter::{once, repeat_n};

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "idle-and-absolute-expiry",
    group: Group::Theft,
    question: "Does the server end a session that is idle for too long, and one that is too old?",
    steps: &[
        "The idle timeout is 30 minutes, the absolute one 12 hours.",
        "Bob signs in, and is signed in. He sends nothing for 31 minutes.",
        "Ada signs in and comes back after 29 minutes, and then every 20 minutes, the last time a minute before her session is 12 hours old.",
        "Two minutes later she comes once more.",
    ],
    need: "sessions to end on time, whatever the browser does",
    run: |bench| Box::pin(run(bench)),
};

/// After how many minutes Ada comes back each time. Together they are a minute less than 12 hours.
fn returns() -> impl Iterator<Item = i64> {
    once(29).chain(repeat_n(20, 34)).chain(once(10))
}

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (ada, bob) = (bench.browser("Ada"), bench.browser("Bob"));
    bob.post(&node, "/login/bob").await?;
    bob.has_to_be("bob", &node).await?;
    bench.advance(Duration::minutes(31));
    let idle = bob.get(&node, "/profile").await?;
    bench.decided_by(idle.number);
    if idle.user().is_some() {
        return Ok(Verdict::DoesNotHold("a session that was idle for 31 minutes is still alive".into()));
    }
    ada.post(&node, "/login/ada").await?;
    let (mut age, mut last) = (0, 0);
    for step in returns() {
        bench.advance(Duration::minutes(step));
        age += step;
        let busy = ada.get(&node, "/profile").await?;
        last = busy.number;
        if busy.user().is_none() {
            bench.decided_by(last);
            return Ok(Verdict::DoesNotHold(format!(
                "a session in use ended too early: when it was {} h {} min old, Ada’s cookie was {}",
                age / 60,
                age % 60,
                busy.arrival()
            )));
        }
    }
    bench.decided_by(last);
    bench.advance(Duration::minutes(2));
    let too_old = ada.get(&node, "/profile").await?;
    bench.decided_by(too_old.number);
    Ok(match too_old.user() {
        Some(_) => Verdict::DoesNotHold("a session of 12 hours and a minute is still alive".into()),
        None => Verdict::Holds(
            "Bob’s session ended after 31 idle minutes; Ada’s, which was never idle, was alive after 11 h 59 min, and not after 12 h 1 min"
                .into(),
        ),
    })
}

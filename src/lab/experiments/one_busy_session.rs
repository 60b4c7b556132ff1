//! Many requests of one session at once.

use rocket::futures::future::join_all;
use rocket::tokio::join;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

/// How many requests meet.
const REQUESTS: u32 = 32;

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "one-busy-session",
    group: Group::Concurrency,
    question: "Do many requests of one session at once all get their answer, and lose nothing?",
    steps: &[
        "Ada signs in.",
        "32 requests load her session, and only then each of them makes a change: all count visits in the same field.",
        "None of them knows of the others, so together they count one visit.",
        "32 requests that ask to take turns each count another visit.",
    ],
    need: "many requests of one session at a time, as a busy script makes them",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let slow = join_all((0..REQUESTS).map(|_| ada.try_post(&node, "/slow/visits")));
    let (answers, _) = join!(slow, node.gate.meeting(REQUESTS));
    let before = ada.get(&node, "/profile").await?.count("visits");
    let turns = join_all((0..REQUESTS).map(|_| ada.try_post(&node, "/exclusive/visits"))).await;
    let counted = ada.get(&node, "/profile").await?.count("visits").saturating_sub(before);
    let answered = answers.iter().chain(&turns).filter(|answer| answer.status == 200).count();
    let all = 2 * REQUESTS as usize;
    let lost = if counted < u64::from(REQUESTS) { ": nothing makes them wait for each other" } else { "" };
    Ok(Verdict::of(
        answered == all && before == 1 && counted == u64::from(REQUESTS),
        format!(
            "{answered} of {all} requests were answered, and the {REQUESTS} that asked to take turns counted {counted} of {REQUESTS} visits{lost}"
        ),
    ))
}

//! Two clicks on a sign-in form.

use rocket::futures::future::try_join_all;
use rocket::tokio::try_join;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "sign-in-sent-twice",
    group: Group::Concurrency,
    question: "Is a visitor who clicks Sign in twice signed in?",
    steps: &[
        "Ada visits twice without signing in.",
        "She clicks twice: the second request leaves with the cookie from before the first answer.",
        "She clicks twice more, with the same old cookie, and these two overlap: the server has loaded what both came with before it signs her in for either.",
        "Each of the four cookies that she got is sent: is she signed in, and are her two visits there?",
    ],
    need: "a sign-in that works the first time, however often it is sent",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let first = bench.browser("first click");
    first.post(&node, "/visits").await?;
    first.post(&node, "/visits").await?;
    let clicks =
        [first.copied_by("second click"), first.copied_by("third click"), first.copied_by("fourth click")];
    first.post(&node, "/login/ada").await?;
    let [second, third, fourth] = &clicks;
    second.post(&node, "/login/ada").await?;
    let overlapping = [third, fourth].map(|click| click.post(&node, "/slow/login/ada"));
    try_join!(try_join_all(overlapping), node.gate.meeting(2))?;
    let (mut signed_in, mut visits) = (0, 0);
    for browser in [&first, second, third, fourth] {
        let seen = browser.get(&node, "/profile").await?;
        signed_in += usize::from(seen.user() == Some("ada"));
        visits += usize::from(seen.count("visits") == 2);
    }
    Ok(Verdict::of(
        signed_in == 4 && visits == 4,
        format!("{signed_in} of 4 answers signed Ada in, and {visits} kept her visits"),
    ))
}

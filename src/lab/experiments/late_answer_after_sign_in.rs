//! Answers that were under way while their browser signed in.

use rocket::tokio::try_join;
use time::Duration;

use crate::lab::bench::{Bench, Browser};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "late-answer-after-sign-in",
    group: Group::Concurrency,
    question: "Does a sign-in last when the answer to an older request arrives late?",
    steps: &[
        "A poll: Ada’s session has expired. A request with its cookie is under way, she signs in, and the answer to that request arrives last.",
        "A page: Bob visits without signing in. A page that counts a visit is loading, he signs in, and the page arrives last.",
        "Both browsers ask who is signed in.",
    ],
    need: "a sign-in that no late answer can undo",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/visits").await?;
    bench.advance(Duration::minutes(31));
    let sign_in = async |browser: &Browser<'_>, path: &str| {
        node.gate.arrivals(1).await;
        browser.post(&node, path).await?;
        node.gate.let_through(1);
        Ok(())
    };
    let (poll, ()) = try_join!(ada.get(&node, "/slow/profile"), sign_in(&ada, "/login/ada"))?;
    let after_poll = ada.get(&node, "/profile").await?;
    let bob = bench.browser("Bob");
    bob.post(&node, "/visits").await?;
    let (page, ()) = try_join!(bob.post(&node, "/slow/visits"), sign_in(&bob, "/login/bob"))?;
    let after_page = bob.get(&node, "/profile").await?;
    bench.decided_by(after_poll.number);
    bench.decided_by(after_page.number);
    let (polled, paged) = (after_poll.user() == Some("ada"), after_page.user() == Some("bob"));
    let told = |set: bool| if set { "set a cookie" } else { "set no cookie" };
    let outcome = |stays: bool| if stays { "the sign-in stayed" } else { "nobody is signed in" };
    Ok(Verdict::of(
        polled && paged,
        format!(
            "the late answer to the poll {}, and {}; the late page {}, and {}",
            told(poll.set_cookie),
            outcome(polled),
            told(page.set_cookie),
            outcome(paged)
        ),
    ))
}

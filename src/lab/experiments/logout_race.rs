//! A slow response that arrives after its browser has signed out.

use rocket::tokio::try_join;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "logout-race",
    group: Group::Theft,
    question: "Does a sign-out last when a slower answer arrives after it?",
    steps: &[
        "Ada signs in. A copy of her cookie is kept, and works.",
        "One tab sends a slow request, which loads her session.",
        "Another tab signs out, and is answered.",
        "The slow answer arrives, with a change of the session.",
        "The browser asks who is signed in, and the copy is sent too.",
    ],
    need: "a sign-out that no late answer can undo",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let copy = ada.copied_by("copy of her cookie");
    copy.has_to_be("ada", &node).await?;
    let sign_out = async {
        node.gate.arrivals(1).await;
        ada.post(&node, "/logout").await?;
        node.gate.let_through(1);
        Ok(())
    };
    let (slow, ()) = try_join!(ada.post(&node, "/slow/visits"), sign_out)?;
    let after = ada.get(&node, "/profile").await?;
    let copied = copy.get(&node, "/profile").await?;
    bench.decided_by(after.number);
    bench.decided_by(copied.number);
    Ok(match (after.user(), copied.user()) {
        (None, None) if slow.set_cookie => {
            Verdict::Holds("the late answer set a cookie, but nobody is signed in by it".into())
        }
        (None, None) => Verdict::Holds("the late answer set no cookie: the session was gone".into()),
        (Some(user), _) => Verdict::DoesNotHold(format!(
            "the late answer brought the cookie back: the browser is signed in as {user} again"
        )),
        (None, Some(user)) => Verdict::DoesNotHold(format!(
            "the late answer brought the session back: a copy of the cookie is signed in as {user}"
        )),
    })
}

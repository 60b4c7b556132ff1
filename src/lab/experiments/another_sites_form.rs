//! A form on another site's page.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "another-sites-form",
    group: Group::Theft,
    question: "Does a session survive a form that another site sends here?",
    steps: &[
        "Ada signs in.",
        "A page of another site sends a form to a page here that opens a session. The browser withholds the cookie (SameSite=Lax) and keeps what the answer sets.",
        "The browser asks who is signed in.",
    ],
    need: "sessions that no other site can replace",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let ada = bench.browser("Ada");
    ada.post(&node, "/login/ada").await?;
    let foreign = ada.post_from_another_site(&node, "/visits").await?;
    let after = ada.get(&node, "/profile").await?;
    let set = if foreign.set_cookie { "set a cookie" } else { "set no cookie" };
    Ok(match after.user() {
        Some(_) => Verdict::Holds(format!("the answer to the form {set}, and Ada is still signed in")),
        None => {
            Verdict::DoesNotHold(format!("the answer to the form {set}, and nobody is signed in any more"))
        }
    })
}

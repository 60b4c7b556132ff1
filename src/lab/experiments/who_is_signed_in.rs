//! A list of an account's sessions.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "who-is-signed-in",
    group: Group::Theft,
    question: "Can the server list the sessions of an account?",
    steps: &[
        "Ada signs in on her phone and on her laptop, and Bob on his phone.",
        "The server is asked for Ada’s sessions.",
        "Ada signs out on her phone, and the server is asked again.",
    ],
    need: "a list of who is signed in, and where",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (phone, laptop, bob) = (bench.browser("phone"), bench.browser("laptop"), bench.browser("Bob"));
    phone.post(&node, "/login/ada").await?;
    laptop.post(&node, "/login/ada").await?;
    bob.post(&node, "/login/bob").await?;
    let list = async || {
        let listed = match node.kept.store.list() {
            Some(list) => Some(list.of_subject("ada", bench.now()).await),
            None => None,
        };
        bench
            .asked("list Ada’s sessions", listed, |all| format!("{} found", all.len()))
            .map(|listed| listed.map(|all| all.len()))
    };
    let both = list().await?;
    phone.post(&node, "/logout").await?;
    let one = list().await?;
    Ok(match (both, one) {
        (Some(2), Some(1)) => Verdict::Holds(
            "the server listed both of Ada’s sessions, and one of them after a sign-out".into(),
        ),
        (Some(both), Some(one)) => {
            Verdict::DoesNotHold(format!("it lists {both} and then {one}, where 2 and 1 would be right"))
        }
        _ => Verdict::DoesNotHold("the server has no list: nobody can say who is signed in".into()),
    })
}

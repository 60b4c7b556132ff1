//! What ends sessions goes away for a while.

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "ledger-outage",
    group: Group::Operation,
    question: "While what ends sessions is away, is nobody let in wrongly, and do visitors go on?",
    steps: &[
        "Ada signs in, and a visitor counts a visit without signing in. Bob signs in and out again; a copy of his cookie is kept.",
        "The server that says which sessions have ended stops answering: the ledger's, or the store's where that ends them. The copy of Bob's cookie is sent.",
        "Half a minute goes by, longer than the setting revocation_max_age (10 seconds) allows. Ada and the visitor send a request each.",
        "The server is back, and nothing is started again. Ada, the visitor and the copy send another request.",
    ],
    need: "an outage that lets nobody in who was signed out, and keeps the site open for visitors",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (ada, visitor, bob) = (bench.browser("Ada"), bench.browser("visitor"), bench.browser("Bob"));
    ada.post(&node, "/login/ada").await;
    if !node.keeps_something() {
        return Ok(Verdict::NotApplicable(
            "there is nothing that could be away, and nothing that ends a session: replay-after-logout shows what that means"
                .into(),
        ));
    }
    if !bench.outlives_the_process(&ada).await? {
        return Ok(Verdict::NotApplicable(
            "what ends sessions is a part of the process: it is away when the server is, which restart shows"
                .into(),
        ));
    }
    visitor.post(&node, "/visits").await;
    bob.post(&node, "/login/bob").await;
    let copy = bob.copied_by("a copy of Bob's");
    bob.post(&node, "/logout").await;
    bench.server_down(true);
    let copied = copy.get(&node, "/profile").await;
    bench.advance(Duration::seconds(30));
    let signed_in = ada.get(&node, "/profile").await;
    let anonymous = visitor.post(&node, "/visits").await;
    bench.server_down(false);
    let afterwards = ada.get(&node, "/profile").await;
    let visits = visitor.post(&node, "/visits").await.count("visits");
    let copied_again = copy.get(&node, "/profile").await;
    let goes_on = anonymous.status == 200 && anonymous.count("visits") == 2 && visits == 3;
    Ok(match (copied.user().or(copied_again.user()), signed_in.status, goes_on, afterwards.user()) {
        (Some(user), ..) => {
            Verdict::DoesNotHold(format!("a copy of a session that was signed out is {user} again"))
        }
        (None, 200, ..) => Verdict::DoesNotHold(
            "Ada is let in although nobody can tell whether her session has ended meanwhile".into(),
        ),
        (None, status, _, None) => Verdict::DoesNotHold(format!(
            "Ada was answered with {status}, and her session was not there again afterwards"
        )),
        (None, status, false, Some(_)) => Verdict::DoesNotHold(format!(
            "nobody is let in on old news: Ada was answered with {status}, and signed in again by herself afterwards. But the visitor without an account was answered with {} too",
            anonymous.status
        )),
        (None, status, true, Some(_)) => Verdict::Holds(format!(
            "Ada was answered with {status} and was signed in again as soon as it was back, without a restart; the visitor's visits were counted all the while"
        )),
    })
}

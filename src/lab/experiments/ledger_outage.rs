//! What ends sessions goes away for a while.

use time::Duration;

use crate::lab::bench::{Answer, Bench};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "ledger-outage",
    group: Group::Operation,
    question: "While the server cannot learn which sessions have ended, does it let nobody in wrongly, and can visitors go on?",
    steps: &[
        "Ada signs in, and a visitor counts a visit without signing in. Bob signs in; a copy of his cookie is kept, and works. He signs out again.",
        "The database that says which sessions have ended stops answering: the ledger’s, or else the store’s. The copy of Bob’s cookie is sent.",
        "Half a minute goes by, longer than the setting revocation_max_age (10 seconds) allows. Ada and the visitor send a request each.",
        "The database is back, and nothing is started again. Ada, the visitor and the copy send another request.",
    ],
    need: "visitors to go on, and nobody to be let in wrongly, while the database is down",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (ada, visitor, bob) = (bench.browser("Ada"), bench.browser("visitor"), bench.browser("Bob"));
    ada.post(&node, "/login/ada").await?;
    if !node.keeps_something() {
        return Ok(Verdict::NotApplicable(
            "nothing ends a session here, so there is nothing that could be away".into(),
        ));
    }
    if !bench.outlives_the_process(&ada).await? {
        return Ok(Verdict::NotApplicable(
            "what ends sessions is a part of the server’s process, and is away only when the server is"
                .into(),
        ));
    }
    visitor.post(&node, "/visits").await?;
    bob.post(&node, "/login/bob").await?;
    let copy = bob.copied_by("copy of Bob’s cookie");
    copy.has_to_be("bob", &node).await?;
    bob.post(&node, "/logout").await?;
    bench.server_down(true);
    let copied = copy.try_get(&node, "/profile").await;
    bench.advance(Duration::seconds(30));
    let signed_in = ada.try_get(&node, "/profile").await;
    let anonymous = visitor.try_post(&node, "/visits").await;
    bench.server_down(false);
    let afterwards = ada.get(&node, "/profile").await?;
    let visits = visitor.post(&node, "/visits").await?.count("visits");
    let copied_again = copy.get(&node, "/profile").await?;
    for during in [&copied, &signed_in, &anonymous] {
        bench.decided_by(during.number);
    }
    let goes_on = anonymous.answer.is_ok_and(|answer| answer.count("visits") == 2) && visits == 3;
    // While the database is away, a fault is an answer too: it lets nobody in.
    let copied = copied.answer.ok();
    let let_in = copied.as_ref().and_then(Answer::user).or(copied_again.user());
    Ok(match (let_in, signed_in.status, goes_on, afterwards.user()) {
        (Some(user), ..) => {
            Verdict::DoesNotHold(format!("a copy of a session that was signed out is {user} again"))
        }
        (None, 200, ..) => Verdict::DoesNotHold(
            "Ada is let in although nobody can tell whether her session has ended meanwhile".into(),
        ),
        (None, status, _, None) => Verdict::DoesNotHold(format!(
            "Ada was answered with {status}, and her session was lost afterwards"
        )),
        (None, status, false, Some(_)) => Verdict::DoesNotHold(format!(
            "nobody was let in wrongly: Ada was answered with {status}, and was still signed in afterwards. But the visitor without an account was answered with {} too",
            anonymous.status
        )),
        (None, status, true, Some(_)) => Verdict::Holds(format!(
            "Ada was answered with {status}, and was signed in again as soon as the database was back; the visitor’s visits were counted all the while"
        )),
    })
}

//! A stolen session, and its owner who ends all the others.

use crate::lab::bench::{Bench, UNABLE};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "theft-and-log-out-everywhere",
    group: Group::Theft,
    question: "Can all other sessions of an account be ended at once, the stolen one too?",
    steps: &[
        "Ada signs in on her phone and on her laptop, and the phone’s cookie is stolen: it is a session like hers.",
        "On her laptop she asks to be signed out everywhere else.",
        "The stolen cookie, the phone’s and the laptop’s are sent again.",
    ],
    need: "to sign out everywhere, or to lock an account at once",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (phone, laptop) = (bench.browser("phone"), bench.browser("laptop"));
    phone.post(&node, "/login/ada").await?;
    laptop.post(&node, "/login/ada").await?;
    let thief = phone.copied_by("thief");
    thief.has_to_be("ada", &node).await?;
    let asked = laptop.post(&node, "/end-others").await?;
    let stolen = thief.get(&node, "/profile").await?;
    bench.decided_by(stolen.number);
    let stolen = stolen.user().is_some();
    let other = phone.get(&node, "/profile").await?.user().is_some();
    let own = laptop.get(&node, "/profile").await?.user() == Some("ada");
    Ok(match (stolen || other, own) {
        (false, true) => Verdict::Holds(
            "afterwards the stolen cookie and the phone’s are dead, and the laptop’s still works".into(),
        ),
        (false, false) => Verdict::DoesNotHold("the laptop was signed out too".into()),
        (true, _) if asked.ended() == UNABLE => Verdict::DoesNotHold(
            "this store cannot end the sessions of an account: the thief is signed in until a timeout".into(),
        ),
        (true, _) => {
            Verdict::DoesNotHold(format!("the store says: {}; but another session lives on", asked.ended()))
        }
    })
}

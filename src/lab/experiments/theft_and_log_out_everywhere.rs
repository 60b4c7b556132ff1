//! A stolen session, and its owner who ends all of them.

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "theft-and-log-out-everywhere",
    question: "Can all sessions of an account be ended at once, the stolen one too?",
    steps: &[
        "Ada signs in on her phone and on her desk, and the phone's cookie is stolen.",
        "The server is asked to end all sessions of Ada.",
        "The stolen cookie and the desk's are sent again.",
    ],
    need: "“log out everywhere”, or to lock an account at once",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (phone, desk) = (bench.browser("phone"), bench.browser("desk"));
    phone.post(&node, "/login/ada").await;
    desk.post(&node, "/login/ada").await;
    let thief = phone.copied_by("thief");
    let before = thief.get(&node, "/profile").await.user() == Some("ada");
    let ended = match node.store.revoke() {
        Some(revoke) => Some(revoke.end_all("ada", None, bench.now()).await),
        None => None,
    };
    let ended = bench.asked("end all sessions of ada", ended, |ended| format!("{ended} ended"));
    let stolen = thief.get(&node, "/profile").await.user().is_some();
    let other = desk.get(&node, "/profile").await.user().is_some();
    Ok(match (before, stolen || other, ended) {
        (false, ..) => Verdict::DoesNotHold("the session did not even work before".into()),
        (true, false, _) => {
            Verdict::Holds("after it neither the stolen cookie nor any other is a session".into())
        }
        (true, true, None) => Verdict::DoesNotHold(
            "this store cannot end the sessions of an account: the thief is signed in until a timeout".into(),
        ),
        (true, true, Some(count)) => {
            Verdict::DoesNotHold(format!("the store says that it ended {count}, but a session lives on"))
        }
    })
}

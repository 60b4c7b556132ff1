//! The key is replaced: A, then B with A, then B alone.

use crate::lab::bench::{Bench, Setup, new_key};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "key-rotation",
    group: Group::Operation,
    question: "Can the key be replaced without signing anyone out, and does the old one then stop working?",
    steps: &[
        "Ada signs in at a server with key A. A copy of her cookie is kept.",
        "A server with key B, and A as a previous key, answers her: the cookie is sealed anew.",
        "A server with B alone answers her.",
        "The copy, sealed by A, is sent to that server.",
    ],
    need: "to replace the key in use",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let first = bench.node().await?;
    let (kept, b) = (Some(first.kept.clone()), Some(new_key()?));
    let ada = bench.browser("Ada");
    ada.post(&first, "/login/ada").await?;
    let copy = ada.copied_by("copy of her cookie");
    let previous_keys = vec![bench.key()];
    let name = Some("server, B and A");
    let both = Setup { name, kept: kept.clone(), key: b.clone(), previous_keys, ..Setup::default() };
    let both = bench.node_with(both).await?;
    let during = ada.get(&both, "/profile").await?;
    let alone =
        bench.node_with(Setup { name: Some("server, B alone"), kept, key: b, ..Setup::default() }).await?;
    let after = ada.get(&alone, "/profile").await?;
    let old = copy.get(&alone, "/profile").await?;
    Ok(match (during.user().is_some(), during.set_cookie, after.user().is_some(), old.user().is_some()) {
        (true, true, true, false) => Verdict::Holds(
            "Ada stays signed in throughout, and a cookie that the old key sealed is refused".into(),
        ),
        (false, ..) => Verdict::DoesNotHold("Ada was signed out while both keys were set".into()),
        (_, _, false, _) => Verdict::DoesNotHold("Ada was signed out when A was taken away".into()),
        (.., true) => Verdict::DoesNotHold("a cookie sealed by A still opens after A was taken away".into()),
        (_, false, ..) => Verdict::DoesNotHold("the cookie was not sealed anew".into()),
    })
}

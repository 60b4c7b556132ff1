//! Both limits of a session, against the server's clock.

use time::Duration;

use crate::lab::bench::Bench;
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "idle-and-absolute-expiry",
    group: Group::Theft,
    question: "Does the server end a session that is idle for too long, and one that is too old?",
    steps: &[
        "The idle timeout is 30 minutes, the absolute one 12 hours.",
        "Ada signs in and comes back after 29 minutes.",
        "Bob signs in and sends nothing for 31 minutes.",
        "Ada sends a request every 20 minutes, until she is refused or 13 hours have passed.",
    ],
    need: "sessions to end on time, whatever the browser does",
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let (ada, bob) = (bench.browser("Ada"), bench.browser("Bob"));
    ada.post(&node, "/login/ada").await;
    bench.advance(Duration::minutes(29));
    let in_time = ada.get(&node, "/profile").await.user().is_some();
    bob.post(&node, "/login/bob").await;
    bench.advance(Duration::minutes(20));
    let busy = ada.get(&node, "/profile").await.user().is_some();
    bench.advance(Duration::minutes(11));
    let idle = bob.get(&node, "/profile").await;
    bench.decided_by(&idle);
    let idle = idle.user().is_some();
    let mut hours = Duration::hours(1);
    let mut last = Some(hours);
    while hours < Duration::hours(13) {
        if ada.get(&node, "/profile").await.user().is_none() {
            break;
        }
        bench.advance(Duration::minutes(20));
        hours += Duration::minutes(20);
        last = Some(hours);
    }
    let too_old = ada.get(&node, "/profile").await;
    bench.decided_by(&too_old);
    let too_old = too_old.user().is_some();
    let ended = last.unwrap_or_default().whole_minutes();
    Ok(Verdict::of(
        in_time && busy && !idle && !too_old,
        match (in_time && busy, idle, too_old) {
            (false, ..) => "a session in use ended too early".to_owned(),
            (true, true, _) => "a session that was idle for 31 minutes is still alive".into(),
            (true, false, true) => "a session of 13 hours is still alive".into(),
            (true, false, false) => format!(
                "Bob’s session ended after 31 idle minutes, and Ada’s, which was never idle, when it was {} hours old",
                ended / 60
            ),
        },
    ))
}

//! A session that grows.

use crate::lab::bench::{Bench, MAX_NOTE_BYTES, Measurements};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "growth",
    group: Group::Size,
    question: "Can the session hold 16 kB?",
    steps: &[
        "A visitor's session takes a note of 0, 256, 1024, 2048, 3072, 4096, 8192 and 16384 bytes in turn.",
        "Each is read back. What goes up and down, and what is written on the server, is counted.",
    ],
    need: "more than a few kilobytes in a session",
    run: |bench| Box::pin(run(bench)),
};

const SIZES: [u64; 8] = [0, 256, 1024, 2048, 3072, 4096, 8192, MAX_NOTE_BYTES as u64];

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let node = bench.node().await?;
    let visitor = bench.browser("visitor");
    visitor.post(&node, "/visits").await?;
    let (mut rows, mut broken, mut most) = (Vec::new(), None, 0);
    for size in SIZES {
        let set = visitor.try_post(&node, &format!("/note/{size}")).await;
        let got = visitor.get(&node, "/profile").await?;
        let kept = set.status == 200 && got.count("note") == size;
        match (kept, broken) {
            (true, _) => most = most.max(got.up),
            (false, None) => broken = Some((size, set.status)),
            (false, Some(_)) => {}
        }
        rows.push(vec![
            size.to_string(),
            got.up.to_string(),
            set.down.to_string(),
            set.rest.to_string(),
            if kept { "kept".into() } else { format!("refused: {}", set.status) },
        ]);
    }
    let head = &["Data", "Up, each request", "Down, when it is set", "Written on the server", "Outcome"];
    bench.measured(Measurements { caption: "Bytes", head, rows });
    Ok(match broken {
        None => Verdict::Holds(format!(
            "the session took all of it, and no request carries more than {most} bytes of cookie"
        )),
        Some((size, status)) => Verdict::DoesNotHold(format!(
            "a note of {size} bytes was not taken (answered with {status}); below that each request carries up to {most} bytes of cookie"
        )),
    })
}

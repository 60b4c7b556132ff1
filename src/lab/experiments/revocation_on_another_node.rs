//! A sign-out on one server, and a copy of the cookie on another.

use std::time::{Duration, Instant};

use rocket::futures::future::try_join_all;
use rocket::tokio::time::sleep;

use crate::lab::bench::{Bench, Browser, Measurements, Node};
use crate::lab::experiment::{Experiment, Group, Verdict};

pub(super) const EXPERIMENT: Experiment = Experiment {
    slug: "revocation-on-another-node",
    group: Group::Theft,
    question: "Is a session that was signed out on one server dead on another within three seconds?",
    steps: &[
        "Ada signs in at one server, and a copy of her cookie works at another server with the same settings. She signs in three times more, and each cookie is copied and works there too.",
        "She signs out of these three sessions at the first server, one by one.",
        "Each copy is sent once to the first server, and if that refuses it, to the other one every 10 milliseconds until it is refused there too. A real clock measures how long that takes.",
    ],
    need: "a sign-out that holds on every server, at once or nearly",
    run: |bench| Box::pin(run(bench)),
};

/// How long another server may let a copy in.
const LIMIT: Duration = Duration::from_secs(3);

/// How often the other server is asked.
const INTERVAL: Duration = Duration::from_millis(10);

/// After how long each of the sessions is signed out: a server that looks once a second must not be met at the same
/// moment each time.
const SIGN_OUTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(350), Duration::from_millis(700)];

async fn run(bench: &Bench) -> Result<Verdict, String> {
    let (first, second) = (bench.node().await?, bench.another_node("other server").await?);
    let ada = bench.browser("Ada");
    ada.post(&first, "/login/ada").await?;
    if ada.copied_by("copy").get(&second, "/profile").await?.user() != Some("ada") {
        return Ok(Verdict::NotApplicable(
            "no other server knows the session, so there is nothing to sign out there".into(),
        ));
    }
    // All signed in before one is signed out: a sign-in after that is sealed later in the ledger, which the second server
    // would notice.
    let signed_in = try_join_all(SIGN_OUTS.map(|after| sign_in(bench, &first, &second, after))).await?;
    let found = try_join_all(signed_in.iter().map(|signed_in| sign_out(signed_in, &first, &second))).await?;
    let shown = |time: Duration| {
        if time < INTERVAL { "at once".to_owned() } else { format!("{:.2} s", time.as_secs_f64()) }
    };
    let rows = found.iter().enumerate().map(|(number, times)| {
        let (same, other) = match (times.same, times.other) {
            (false, _) => ("not at all".to_owned(), "not tried".to_owned()),
            (true, Some(other)) => ("at once".into(), shown(other)),
            (true, None) => ("at once".into(), format!("not within {} s", LIMIT.as_secs())),
        };
        vec![(number + 1).to_string(), same, other]
    });
    let head = &["Sign-out", "Refused by the same server", "Refused by the other server"];
    bench.measured(Measurements { caption: "How long it took", head, rows: rows.collect() });
    let slowest =
        found.iter().map(|times| times.other).max_by_key(|time| time.unwrap_or(Duration::MAX)).flatten();
    Ok(match (found.iter().all(|times| times.same), slowest) {
        (false, _) => Verdict::DoesNotHold(
            "even the server that she signed out at accepts the copy, until a timeout ends it".into(),
        ),
        (true, Some(slowest)) if slowest < INTERVAL => {
            Verdict::Holds("the other server refused the first request that came after each sign-out".into())
        }
        (true, Some(slowest)) => Verdict::Holds(format!(
            "the server that she signed out at refused the copy at once, the other one after {} at most",
            shown(slowest)
        )),
        (true, None) => Verdict::DoesNotHold(format!(
            "the other server still lets the copy in {} seconds after the sign-out",
            LIMIT.as_secs()
        )),
    })
}

/// A session that is to be signed out.
struct SignedIn<'b> {
    ada: Browser<'b>,
    copy: Browser<'b>,
    after: Duration,
}

async fn sign_in<'b>(
    bench: &'b Bench,
    first: &Node,
    second: &Node,
    after: Duration,
) -> Result<SignedIn<'b>, String> {
    let ada = bench.browser("Ada");
    ada.post(first, "/login/ada").await?;
    let copy = ada.copied_by("copy");
    copy.has_to_be("ada", second).await?;
    Ok(SignedIn { ada, copy, after })
}

/// What came of a sign-out.
struct Times {
    /// Whether the server that was signed out at refuses the copy from then on.
    same: bool,
    /// After how long the other one did; `None` if it still lets the copy in, or was not asked.
    other: Option<Duration>,
}

async fn sign_out(signed_in: &SignedIn<'_>, first: &Node, second: &Node) -> Result<Times, String> {
    let SignedIn { ada, copy, after } = signed_in;
    sleep(*after).await;
    ada.post(first, "/logout").await?;
    let signed_out = Instant::now();
    let same = copy.get(first, "/profile").await?.user().is_none();
    // One that not even its own server refuses is not waited for.
    let other = if same { until_refused(copy, second, signed_out).await? } else { None };
    Ok(Times { same, other })
}

/// Asks until the copy is refused, and shows the last answer only.
async fn until_refused(copy: &Browser<'_>, node: &Node, since: Instant) -> Result<Option<Duration>, String> {
    loop {
        let asked = copy.get_unnoted(node, "/profile").await?;
        let is_refused = asked.user().is_none();
        let elapsed = since.elapsed();
        if is_refused || elapsed > LIMIT {
            copy.get(node, "/profile").await?;
            return Ok(is_refused.then_some(elapsed));
        }
        sleep(INTERVAL).await;
    }
}

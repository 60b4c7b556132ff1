//! The contract of a [`Log`] as runnable checks, for anyone who writes one.
//!
//! Every log of this library passes them. One of your own joins in a few lines:
//!
//! ```
//! # rocket::async_test(async {
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! use sealed_sessions::ledger::{Log, MemoryLog, conformance};
//!
//! // Opens the log of a namespace. Two openings of one namespace are one log.
//! let logs: Mutex<HashMap<String, Arc<dyn Log>>> = Mutex::default();
//! let open = move |namespace: &str| -> Arc<dyn Log> {
//!     let mut logs = logs.lock().unwrap();
//!     Arc::clone(logs.entry(namespace.to_owned()).or_insert_with(|| Arc::new(MemoryLog::default())))
//! };
//! let report = conformance::check(&open).await;
//! assert!(report.passed(), "{report}");
//! # });
//! ```
//!
//! The checks use namespaces of their own, so they can run on a database that is in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rocket::futures::StreamExt as _;
use rocket::futures::future::try_join_all;
use rocket::futures::stream::BoxStream;
use rocket::tokio::task::yield_now;
use rocket::tokio::time::timeout;

use super::entry::Line;
use super::log::{Log, Page};
use crate::clock::UnixSeconds;
pub use crate::contract::{Clause, Report};
use crate::contract::{Failed, Outcome, check_all, clauses, expect, random_id};
use crate::error::StoreError;

/// Opens the log of a namespace.
pub type Open = dyn Fn(&str) -> Arc<dyn Log> + Send + Sync;

clauses! {
    Open:
    "a new log has neither claim nor entries, and takes no append" new_log;
    "a claim is set only over the one that is expected" claims;
    "what was put or appended is read, byte for byte and in its order" read_back;
    "an entry is appended right after the last one" appended_after_the_last;
    "what is put never overwrites" put_never_overwrites;
    "a reading begins at its position and ends at its limit" reading_in_parts;
    "what was appended in one place is read in another at once" shared;
    "of many who append at once, each gets the next position, and none is left out" many_append;
    "a reader who follows misses nothing" following;
    "what need no longer be kept is forgotten, and nothing else" forgetting;
    "the last entry is never forgotten" last_stays;
    "two namespaces see nothing of each other" namespaces;
    "a log can be started again" started_again;
    "a hint, where there are any, is heard by everyone who listens to this log, and by nobody else" hinted;
}

/// Checks every clause, one after the other.
pub async fn check(open: &Open) -> Report {
    check_all(CLAUSES, open).await
}

/// The logs and a moment.
struct Bench<'o> {
    open: &'o Open,
    now: UnixSeconds,
}

/// A position as a real log begins at.
const START: u64 = 1_800_000_000_000;

impl<'o> Bench<'o> {
    fn new(open: &'o Open, now: UnixSeconds) -> Bench<'o> {
        Bench { open, now }
    }

    fn namespace(&self) -> Result<String, Failed> {
        Ok(format!("check-{}", random_id()?.to_text()))
    }

    async fn opened(&self, namespace: &str) -> Result<Arc<dyn Log>, Failed> {
        let log = (self.open)(namespace);
        log.start().await?;
        Ok(log)
    }

    async fn new_log(&self) -> Result<Arc<dyn Log>, Failed> {
        self.opened(&self.namespace()?).await
    }

    /// A log with one entry.
    async fn begun(&self) -> Result<Arc<dyn Log>, Failed> {
        let log = self.new_log().await?;
        log.put(&[(START, self.line(0))]).await?;
        Ok(log)
    }

    /// An entry that has to be kept for an hour.
    fn line(&self, number: u32) -> Line {
        Line { until: self.now + 3600, body: number.to_be_bytes().to_vec() }
    }
}

async fn reads(log: &dyn Log, from: u64, limit: usize, expected: &[(u64, Line)]) -> Outcome {
    let lines = log.read(from, limit).await?.lines;
    expect(lines == expected, || format!("{lines:?} was read, not {expected:?}"))
}

async fn new_log(bench: Bench<'_>) -> Outcome {
    let log = bench.new_log().await?;
    let page = log.read(0, 10).await?;
    expect(page == Page::default(), || format!("a new log has {page:?}"))?;
    let appended = log.append(&bench.line(1)).await?;
    expect(appended.is_none(), || format!("a new log has appended at {appended:?}"))?;
    reads(&*log, 0, 10, &[]).await
}

async fn claims(bench: Bench<'_>) -> Outcome {
    let log = bench.new_log().await?;
    let sets = async |expected: Option<&[u8]>, claim: &[u8], sets: bool| -> Outcome {
        let set = log.claim(expected, claim).await?;
        expect(set == sets, || format!("{claim:?} over {expected:?} answered {set}"))
    };
    sets(Some(b"none"), b"one", false).await?;
    sets(None, b"one\0\xff", true).await?;
    sets(None, b"two", false).await?;
    sets(Some(b"two"), b"two", false).await?;
    log.put(&[(START, bench.line(0))]).await?;
    for from in [0, START, START + 1] {
        let claim = log.read(from, 10).await?.claim;
        expect(claim.as_deref() == Some(b"one\0\xff"), || format!("from {from}, the claim is {claim:?}"))?;
    }
    sets(Some(b"one\0\xff"), b"two", true).await?;
    let claim = log.read(0, 0).await?.claim;
    expect(claim.as_deref() == Some(b"two"), || format!("the claim is {claim:?}"))
}

async fn read_back(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let bodies = [vec![0], vec![], vec![0xff, 0, b'\''], b"text\n".repeat(40)];
    let mut expected = vec![(START, bench.line(0))];
    for (body, until) in bodies.into_iter().zip([bench.now + 1, 4_000_000_000, i64::MAX, bench.now + 3600]) {
        let line = Line { until, body };
        let position = log.append(&line).await?;
        expected.push((position.unwrap_or(0), line));
    }
    let far = (START + 1_000_000, bench.line(7));
    let near = (START + 999_999, bench.line(8));
    log.put(&[far.clone(), near.clone()]).await?;
    expected.extend([near, far]);
    reads(&*log, 0, 100, &expected).await
}

async fn appended_after_the_last(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let appends = async |at: u64| -> Outcome {
        let position = log.append(&bench.line(1)).await?;
        expect(position == Some(at), || format!("appended at {position:?}, not at {at}"))
    };
    appends(START + 1).await?;
    appends(START + 2).await?;
    log.put(&[(START + 1_000_000, bench.line(2))]).await?;
    appends(START + 1_000_001).await
}

async fn put_never_overwrites(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let first = (START + 5, bench.line(1));
    log.put(std::slice::from_ref(&first)).await?;
    let more = (START + 6, bench.line(3));
    log.put(&[(START, bench.line(2)), (START + 5, bench.line(2)), more.clone()]).await?;
    reads(&*log, 0, 10, &[(START, bench.line(0)), first, more]).await
}

async fn reading_in_parts(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let lines: Vec<(u64, Line)> = (0..10).map(|n| (START + u64::from(n), bench.line(n))).collect();
    for (_, line) in lines.iter().skip(1) {
        log.append(line).await?;
    }
    reads(&*log, START, 10, &lines).await?;
    reads(&*log, 0, 4, lines.get(..4).unwrap_or_default()).await?;
    reads(&*log, START + 3, 3, lines.get(3..6).unwrap_or_default()).await?;
    reads(&*log, START + 9, 3, lines.get(9..).unwrap_or_default()).await?;
    reads(&*log, START + 10, 3, &[]).await
}

async fn shared(bench: Bench<'_>) -> Outcome {
    let namespace = bench.namespace()?;
    let (one, other) = (bench.opened(&namespace).await?, bench.opened(&namespace).await?);
    one.put(&[(START, bench.line(0))]).await?;
    reads(&*other, 0, 10, &[(START, bench.line(0))]).await?;
    for n in 1..=20_u32 {
        let (appends, looks) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let position = START + u64::from(n);
        appends.append(&bench.line(n)).await?;
        reads(&**looks, position, 10, &[(position, bench.line(n))]).await?;
    }
    Ok(())
}

async fn many_append(bench: Bench<'_>) -> Outcome {
    let namespace = bench.namespace()?;
    let logs = [bench.opened(&namespace).await?, bench.opened(&namespace).await?];
    for log in &logs {
        log.put(&[(START, bench.line(0))]).await?;
    }
    let appends = (1..=64).map(|n| {
        let (log, line) = (&logs[n as usize % 2], bench.line(n));
        async move { Ok::<_, StoreError>((log.append(&line).await?, line)) }
    });
    let mut lines = vec![(START, bench.line(0))];
    for (position, line) in try_join_all(appends).await? {
        lines.push((position.unwrap_or(0), line));
    }
    lines.sort_by_key(|(position, _)| *position);
    let is_dense = lines.windows(2).all(|pair| matches!(pair, [(one, _), (next, _)] if one + 1 == *next));
    expect(is_dense, || format!("positions are missing, or were given twice: {lines:?}"))?;
    reads(&*logs[0], 0, 1000, &lines).await
}

async fn following(bench: Bench<'_>) -> Outcome {
    let namespace = bench.namespace()?;
    let (log, reader) = (bench.opened(&namespace).await?, bench.opened(&namespace).await?);
    log.put(&[(START, bench.line(0))]).await?;
    let is_done = AtomicBool::new(false);
    let appends = async {
        let appends = (1..=100).map(|n| {
            let (log, line) = (Arc::clone(&log), bench.line(n));
            async move { log.append(&line).await }
        });
        let appended = try_join_all(appends).await;
        is_done.store(true, Ordering::SeqCst);
        appended
    };
    let follows = async {
        let (mut next, mut bodies) = (0, Vec::new());
        loop {
            let was_done = is_done.load(Ordering::SeqCst);
            let lines = reader.read(next, 7).await?.lines;
            if was_done && lines.is_empty() {
                return Ok::<_, StoreError>(bodies);
            }
            for (position, line) in lines {
                next = position + 1;
                bodies.push(line.body);
            }
            yield_now().await;
        }
    };
    let (appended, followed) = rocket::tokio::join!(appends, follows);
    appended?;
    let mut bodies = followed?;
    bodies.sort();
    let all: Vec<Vec<u8>> = (0..=100).map(|n| bench.line(n).body).collect();
    expect(bodies == all, || format!("of 101 entries these were followed: {bodies:?}"))
}

async fn forgetting(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let until = |until| Line { until, body: vec![1] };
    for until in [bench.now - 100, bench.now, bench.now + 60, bench.now - 1].map(until) {
        log.append(&until).await?;
    }
    log.append(&bench.line(9)).await?;
    while log.forget(bench.now).await? > 0 {}
    let kept = [(START, bench.line(0)), (START + 3, until(bench.now + 60)), (START + 5, bench.line(9))];
    reads(&*log, 0, 10, &kept).await
}

async fn last_stays(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    let over = Line { until: bench.now - 1, body: vec![1] };
    for _ in 0..3 {
        log.append(&over).await?;
    }
    while log.forget(bench.now).await? > 0 {}
    reads(&*log, 0, 10, &[(START, bench.line(0)), (START + 3, over.clone())]).await?;
    let position = log.append(&over).await?;
    expect(position == Some(START + 4), || format!("then it is appended at {position:?}"))
}

async fn namespaces(bench: Bench<'_>) -> Outcome {
    let (one, other) = (bench.begun().await?, bench.new_log().await?);
    one.claim(None, b"one").await?;
    let page = other.read(0, 10).await?;
    expect(page == Page::default(), || format!("another namespace has {page:?}"))?;
    other.put(&[(START, bench.line(1)), (START + 7, bench.line(2))]).await?;
    let set = other.claim(None, b"other").await?;
    expect(set, || "another namespace has a claim already".into())?;
    let position = one.append(&bench.line(3)).await?;
    expect(position == Some(START + 1), || format!("another's entries count: {position:?}"))?;
    other.append(&Line { until: bench.now - 1, body: vec![] }).await?;
    reads(&*one, 0, 10, &[(START, bench.line(0)), (START + 1, bench.line(3))]).await
}

async fn started_again(bench: Bench<'_>) -> Outcome {
    let log = bench.begun().await?;
    log.start().await?;
    reads(&*log, 0, 10, &[(START, bench.line(0))]).await
}

/// How long a hint may take.
const HINT_TIMEOUT: Duration = Duration::from_secs(5);

async fn hinted(bench: Bench<'_>) -> Outcome {
    let (namespace, another) = (bench.namespace()?, bench.namespace()?);
    let logs =
        [bench.opened(&namespace).await?, bench.opened(&namespace).await?, bench.opened(&another).await?];
    let [Some(one), Some(other), Some(stranger)] = logs.each_ref().map(|log| log.hints()) else {
        return Ok(());
    };
    let [mut ones, mut others, mut strangers] =
        [one.listen().await?, other.listen().await?, stranger.listen().await?];
    one.send(START).await?;
    hears(&mut ones, START).await?;
    hears(&mut others, START).await?;
    other.send(START + 1).await?;
    hears(&mut ones, START + 1).await?;
    hears(&mut others, START + 1).await?;
    stranger.send(START + 2).await?;
    hears(&mut strangers, START + 2).await
}

async fn hears(hints: &mut BoxStream<'static, u64>, position: u64) -> Outcome {
    let heard = timeout(HINT_TIMEOUT, hints.next()).await;
    expect(heard == Ok(Some(position)), || format!("{heard:?} was heard, not {position}"))
}

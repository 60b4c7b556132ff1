//! Hints between nodes: what they speed up, and what goes on without them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rocket::futures::StreamExt as _;
use rocket::futures::stream::{BoxStream, unfold};
use rocket::http::Status;
use rocket::tokio::runtime::Builder;
use rocket::tokio::sync::{Semaphore, broadcast};
use rocket::tokio::time::{sleep, timeout};
use sealed_sessions::ledger::{Hints, Line, Log, MemoryLog, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};

use crate::log;
use crate::node::{Browser, Node};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log in memory that can push hints, which can be lost, be late, or be too many.
pub struct Hinting {
    inner: MemoryLog,
    hints: broadcast::Sender<u64>,
    /// Readings by the followers, which run on other threads than the test.
    readings: AtomicUsize,
    sent: Mutex<Vec<u64>>,
    failed: AtomicUsize,
    listened: AtomicUsize,
    is_broken: AtomicBool,
    /// A place for each hint that may be sent.
    may_send: Semaphore,
}

impl Hinting {
    pub fn new() -> Arc<Hinting> {
        Arc::new(Hinting {
            inner: MemoryLog::default(),
            hints: broadcast::channel(100_000).0,
            readings: AtomicUsize::new(0),
            sent: Mutex::default(),
            failed: AtomicUsize::new(0),
            listened: AtomicUsize::new(0),
            is_broken: AtomicBool::new(false),
            may_send: Semaphore::new(1_000_000),
        })
    }

    fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }

    fn sent(&self) -> Vec<u64> {
        self.sent.lock().unwrap().clone()
    }

    async fn last(&self) -> u64 {
        self.inner.read(0, usize::MAX).await.unwrap().lines.last().unwrap().0
    }
}

#[rocket::async_trait]
impl Log for Hinting {
    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        self.readings.fetch_add(1, Ordering::SeqCst);
        self.inner.read(from, limit).await
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.inner.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        self.inner.append(line).await
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.inner.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.forget(now).await
    }

    fn hints(&self) -> Option<&dyn Hints> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Hints for Hinting {
    async fn send(&self, position: u64) -> Result<(), StoreError> {
        self.may_send.acquire().await.unwrap().forget();
        if self.is_broken.load(Ordering::SeqCst) {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Failed("nobody can be told".into()));
        }
        self.sent.lock().unwrap().push(position);
        let _ = self.hints.send(position);
        Ok(())
    }

    async fn listen(&self) -> Result<BoxStream<'static, u64>, StoreError> {
        self.listened.fetch_add(1, Ordering::SeqCst);
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("nobody can be heard".into()));
        }
        // A hint of nothing ends the connection.
        let hints = unfold(self.hints.subscribe(), |mut hints| async {
            let position = hints.recv().await.ok().filter(|position| *position > 0)?;
            Some((position, hints))
        });
        Ok(hints.boxed())
    }
}

/// Waits until it holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "waited {PATIENCE:?} until {what}");
}

/// Nodes that listen.
async fn nodes<const N: usize>(log: &Arc<Hinting>) -> [Node; N] {
    let mut nodes = Vec::new();
    for _ in 0..N {
        nodes.push(Node::start(log).await);
    }
    until("all nodes listen", async || log.hints.receiver_count() == N).await;
    nodes.try_into().ok().unwrap()
}

#[rocket::async_test]
async fn a_log_with_hints_keeps_the_contract() {
    let logs = crate::conformance::in_memory(|| Hinting::new());
    crate::conformance::check(logs).await;
}

/// By the interval alone, ten logouts one after the other would take ten seconds.
#[rocket::async_test]
async fn a_logout_is_known_on_another_node_before_the_next_interval() {
    let log = Hinting::new();
    let [one, other] = nodes(&log).await;
    let mut taken = Duration::ZERO;
    for _ in 0..10 {
        let mut ada = Browser::of(&one, "ada").await;
        let copy = ada.clone();
        let start = Instant::now();
        ada.posts(&one, "/logout", "").await;
        until("the other node knows", async || copy.status(&other).await == 401).await;
        taken += start.elapsed();
    }
    assert!(taken < Duration::from_secs(4), "ten logouts were known elsewhere after {taken:?}");
}

#[rocket::async_test]
async fn a_flood_of_hints_leads_to_at_most_twenty_readings_in_a_second() {
    let log = Hinting::new();
    let [_node] = nodes(&log).await;
    let (start, before) = (Instant::now(), log.readings());
    let above = log.last().await + 1;
    until("ten readings are done", async || {
        for position in above..above + 1000 {
            log.hints.send(position).unwrap();
        }
        log.readings() >= before + 10
    })
    .await;
    let (elapsed, readings) = (start.elapsed(), log.readings() - before);
    // One may have begun before, and one is due at once.
    let most = elapsed.as_millis() / 50 + 2;
    assert!(readings as u128 <= most, "{readings} readings in {elapsed:?}");
    assert!(elapsed < Duration::from_secs(8), "by the interval alone it is one in a second: {elapsed:?}");
}

#[rocket::async_test]
async fn many_logouts_at_once_send_few_hints_and_the_last_one_says_it_all() {
    let log = Hinting::new();
    let [node] = nodes(&log).await;
    let mut browsers = Vec::new();
    for n in 0..60 {
        browsers.push(Browser::of(&node, &n.to_string()).await);
    }
    until("the hints of the sign-ins are sent", async || log.sent().last() == Some(&log.last().await)).await;
    sleep(Duration::from_millis(60)).await;
    let (start, before) = (Instant::now(), log.sent().len());
    for browser in &mut browsers {
        assert_eq!(browser.posts(&node, "/logout", "").await, Status::Ok);
    }
    until("the last logout is told", async || log.sent().last() == Some(&log.last().await)).await;
    let (elapsed, sent) = (start.elapsed(), log.sent().len() - before);
    assert!(sent as u128 <= elapsed.as_millis() / 50 + 2, "{sent} hints in {elapsed:?}");
}

#[rocket::async_test]
async fn a_logout_waits_for_no_hint() {
    let log = Hinting::new();
    let node = Node::start_with(&log, "store_timeout = \"1 minute\"", time::Duration::ZERO).await;
    let mut ada = Browser::of(&node, "ada").await;
    let copy = ada.clone();
    log.may_send.forget_permits(usize::MAX);
    let out = timeout(PATIENCE, ada.posts(&node, "/logout", "")).await;
    assert_eq!(out, Ok(Status::Ok), "no hint can be sent yet");
    assert_eq!(copy.status(&node).await, 401);
}

#[rocket::async_test]
async fn a_node_that_stops_sends_the_hint_that_is_under_way_before() {
    let log = Hinting::new();
    let [node] = nodes(&log).await;
    let mut ada = Browser::of(&node, "ada").await;
    until("the sign-in is told", async || log.sent().last() == Some(&log.last().await)).await;
    log.may_send.forget_permits(usize::MAX);
    ada.posts(&node, "/logout", "").await;
    let stopped = async {
        node.stop().await;
        log.sent().last().copied()
    };
    let (told, ()) = rocket::tokio::join!(stopped, async {
        sleep(Duration::from_millis(500)).await;
        log.may_send.add_permits(1);
    });
    assert_eq!(told, Some(log.last().await));
}

/// All tasks run on the thread of the test, whose log it reads.
#[test]
fn a_logout_whose_hint_fails_is_acknowledged_and_the_failure_is_said_once() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = Hinting::new();
        let [node] = nodes(&log).await;
        let mut browsers = Vec::new();
        for user in ["ada", "bob", "eve"] {
            browsers.push(Browser::of(&node, user).await);
        }
        let copies = browsers.clone();
        until("the sign-ins are told", async || log.sent().last() == Some(&log.last().await)).await;
        log.is_broken.store(true, Ordering::SeqCst);
        let mut said = Vec::new();
        for (browser, copy) in browsers.iter_mut().zip(copies) {
            let failed = log.failed.load(Ordering::SeqCst);
            assert_eq!(browser.posts(&node, "/logout", "").await, Status::Ok);
            assert_eq!(copy.status(&node).await, 401);
            until("its hint has failed", async || log.failed.load(Ordering::SeqCst) > failed).await;
            said.extend(log::lines());
        }
        let told =
            said.iter().filter(|line| line.contains("read it within a second: the store failed: nobody"));
        assert_eq!(told.count(), 1, "{said:?}");
    });
}

#[rocket::async_test]
async fn a_hint_that_nobody_sends_costs_no_more_than_the_interval() {
    let log = Hinting::new();
    let [one, other] = nodes(&log).await;
    log.is_broken.store(true, Ordering::SeqCst);
    let mut ada = Browser::of(&one, "ada").await;
    let copy = ada.clone();
    ada.posts(&one, "/logout", "").await;
    until("the other node knows", async || copy.status(&other).await == 401).await;
}

/// All tasks run on the thread of the test, whose log it reads.
#[test]
fn a_connection_for_hints_that_breaks_comes_back_by_itself_and_each_is_said_once() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = Hinting::new();
        let [one] = nodes(&log).await;
        log::lines();
        let listened = log.listened.load(Ordering::SeqCst);
        log.is_broken.store(true, Ordering::SeqCst);
        log.hints.send(0).unwrap();
        until("it has tried twice", async || log.listened.load(Ordering::SeqCst) >= listened + 2).await;
        let ada = Browser::of(&one, "ada").await;
        assert_eq!(ada.status(&one).await, 200);
        log.is_broken.store(false, Ordering::SeqCst);
        until("it listens again", async || log.hints.receiver_count() == 1).await;
        let mut said: Vec<String> = Vec::new();
        until("it has said so", async || {
            said.extend(log::lines().into_iter().filter(|line| line.contains("hints of the ledger")));
            said.len() > 1
        })
        .await;
        assert!(
            said.len() == 2 && said[0].starts_with("WARN no hints") && said[1].contains("arrive again"),
            "{said:?}"
        );
    });
}

#[rocket::async_test]
async fn a_node_reads_nothing_because_of_requests_of_the_signed_in() {
    let log = Hinting::new();
    let [node] = nodes(&log).await;
    // A sign-in that enters nothing: it is sealed at the last position that there is.
    let mut ada = Browser::default();
    ada.gets(&node, "/callback/ada").await;
    let (start, before) = (Instant::now(), log.readings());
    while start.elapsed() < Duration::from_secs(1) {
        assert_eq!(ada.status(&node).await, 200);
    }
    let (readings, took) = (log.readings() - before, start.elapsed());
    assert!(readings as u64 <= took.as_secs() + 2, "{readings} readings in {took:?}");
}

#[rocket::async_test]
async fn a_node_reads_nothing_because_of_its_own_hints() {
    let log = Hinting::new();
    let [node] = nodes(&log).await;
    let mut browsers = Vec::new();
    for n in 0..10 {
        browsers.push(Browser::of(&node, &n.to_string()).await);
    }
    let (start, mut led_to) = (Instant::now(), 0);
    for browser in &mut browsers {
        let (sent, before) = (log.sent().len(), log.readings());
        browser.posts(&node, "/logout", "").await;
        let by_the_logout = log.readings() - before;
        until("it is told", async || log.sent().len() > sent).await;
        sleep(Duration::from_millis(60)).await;
        led_to += log.readings() - before - by_the_logout;
    }
    // The interval leads to some.
    assert!(led_to as u64 <= start.elapsed().as_secs() + 1, "{led_to} readings in {:?}", start.elapsed());
}

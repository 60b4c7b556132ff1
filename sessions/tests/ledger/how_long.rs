//! How long after a logout another node refuses a copy of its cookie.
//!
//! `cargo test -p sealed-sessions --features stores --test ledger how_long -- --ignored --nocapture`

use std::sync::Arc;
use std::time::{Duration, Instant};

use rocket::futures::future::join_all;
use rocket::tokio::time::sleep;
use sealed_sessions::ledger::{Hints, Line, Log, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};
use world::databases::{self, Database};

use crate::node::{Browser, Node};

/// How many logouts are measured.
const LOGOUTS: u32 = 100;

/// The time from one logout to the next: each comes at another moment of the other node's interval.
const PACE: Duration = Duration::from_millis(93);

/// How often the other node is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// A log in a database, with its hints or without.
struct Opened {
    log: Arc<dyn Log>,
    has_hints: bool,
}

#[rocket::async_trait]
impl Log for Opened {
    async fn start(&self) -> Result<(), StoreError> {
        self.log.start().await
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        self.log.read(from, limit).await
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.log.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        self.log.append(line).await
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.log.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.log.forget(now).await
    }

    fn hints(&self) -> Option<&dyn Hints> {
        self.log.hints().filter(|_| self.has_hints)
    }

    async fn stop(&self) {
        self.log.stop().await;
    }
}

/// How long the logout took, and then until the other node knew.
async fn measured(one: &Node, other: &Node, mut browser: Browser, wait: Duration) -> (Duration, Duration) {
    let copy = browser.clone();
    sleep(wait).await;
    assert_eq!(copy.status(other).await, 200);
    let start = Instant::now();
    browser.posts(one, "/logout", "").await;
    let answered = Instant::now();
    while copy.status(other).await != 401 {
        sleep(POLL_INTERVAL).await;
    }
    (answered - start, answered.elapsed())
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at =
        |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
    format!("{:8.1} {:8.1} {:8.1}", at(50), at(90), at(99))
}

async fn measure(name: &str, url: &str, has_hints: bool) {
    let opened = || {
        let log = sealed_sessions::ledger::open(url, crate::node::COOKIE).unwrap();
        Arc::new(Opened { log, has_hints })
    };
    let (one, other) = (Node::start(&opened()).await, Node::start(&opened()).await);
    let mut measuring = Vec::new();
    for number in 0..LOGOUTS {
        let browser = Browser::of(&one, &format!("user {number}")).await;
        measuring.push(measured(&one, &other, browser, PACE * number));
    }
    let (logouts, knowing) = join_all(measuring).await.into_iter().unzip();
    let hints = if has_hints { "with hints" } else { "without" };
    println!("{name:15} {hints:10} {} {}", percentiles(logouts), percentiles(knowing));
    one.stop().await;
    other.stop().await;
}

#[rocket::async_test]
#[ignore = "takes three minutes, and prints figures"]
async fn how_long_until_a_logout_is_known_on_another_node() {
    println!("{LOGOUTS} logouts, in ms    {:>26} {:>26}", "the logout 50, 90, 99 %", "known 50, 90, 99 %");
    let databases: [(&str, Option<Database>); 7] = [
        ("SQLite", databases::sqlite()),
        ("PostgreSQL", databases::postgres()),
        ("MariaDB", databases::mariadb()),
        ("Redis", databases::redis()),
        ("Redis Cluster", databases::redis_cluster()),
        ("mongoeco", databases::mongoeco()),
        ("NX-27017", databases::nx_27017()),
    ];
    for (name, database) in databases {
        let Some(database) = database else { continue };
        let url = database.url();
        let log = sealed_sessions::ledger::open(&url, "any").unwrap();
        measure(name, &url, false).await;
        if log.hints().is_some() {
            measure(name, &url, true).await;
        }
    }
}

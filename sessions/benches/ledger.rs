//! What a ledger costs a node: `cargo bench --bench ledger`, on Linux.
//!
//! A node starts with a million live entries, and says how long that took, how much memory they take, and how long it
//! takes to check the session of somebody who is signed in against them.

use std::borrow::Cow;
use std::error::Error;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rocket::http::{Cookie, Header};
use rocket::local::asynchronous::Client;
use rocket::{get, post, routes};
use sealed_sessions::ledger::{Line, Log, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};
use sealed_sessions::testing::figment;
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn Error + Send + Sync>;

const ENTRIES: u64 = 1_000_000;
const REQUESTS: u32 = 20_000;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    user: Option<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

#[post("/login")]
fn login(session: Session<'_, Visitor>) {
    session.sign_in(|visitor| visitor.user = Some("ada".into()));
}

#[get("/who")]
fn who(session: Session<'_, Visitor>) -> &'static str {
    if session.get().user.is_some() { "ada" } else { "nobody" }
}

/// A log of so many sessions that have ended, none of which it keeps.
struct Made {
    entries: u64,
    /// What a node has added.
    page: Mutex<Page>,
}

#[rocket::async_trait]
impl Log for Made {
    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if page.claim.is_none() {
            return Ok(page.clone());
        }
        let made = (from.max(1)..=self.entries).map(|position| (position, ended(position)));
        let lines = made.chain(page.lines.iter().filter(|(position, _)| *position >= from).cloned());
        Ok(Page { claim: page.claim.clone(), lines: lines.take(limit).collect() })
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        let is_expected = page.claim.as_deref() == expected;
        if is_expected {
            page.claim = Some(claim.to_owned());
        }
        Ok(is_expected)
    }

    async fn append(&self, _: &Line) -> Result<Option<u64>, StoreError> {
        Err(StoreError::Failed("this log takes nothing".into()))
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).lines.extend_from_slice(lines);
        Ok(())
    }

    async fn forget(&self, _: UnixSeconds) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// An entry that ends the session of some hash.
fn ended(position: u64) -> Line {
    let hash = position.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Line { until: 4_000_000_000, body: [&[1][..], &hash.to_be_bytes()].concat() }
}

/// The memory of this process, in bytes.
fn memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// A node with a ledger of so many entries, or without one.
async fn node(entries: Option<u64>) -> Result<Client, Failure> {
    let mut figment = figment();
    let mut sessions = Sessions::<Visitor>::fairing();
    if let Some(entries) = entries {
        figment = figment.merge(("session.revocation", "made"));
        sessions = sessions.log("made", Arc::new(Made { entries, page: Mutex::default() }));
    }
    let rocket = rocket::custom(figment).attach(sessions).mount("/", routes![login, who]);
    Ok(Client::untracked(rocket).await.map_err(|error| error.kind().to_string())?)
}

/// How many nanoseconds a request of somebody who is signed in takes.
async fn request(client: &Client) -> Result<u128, Failure> {
    let response = client.post("/login").dispatch().await;
    let line = response.headers().get_one("Set-Cookie").ok_or("nobody is signed in")?;
    let cookie = line.split(';').next().unwrap_or_default().to_owned();
    let (name, value) = cookie.split_once('=').ok_or("no cookie")?;
    let jar = Cookie::new(name.to_owned(), value.to_owned());
    let start = Instant::now();
    for _ in 0..REQUESTS {
        let header = Header::new("Cookie", cookie.clone());
        let response = client.get("/who").cookie(jar.clone()).header(header).dispatch().await;
        if black_box(response.into_string().await).as_deref() != Some("ada") {
            return Err("somebody else is signed in".into());
        }
    }
    Ok(start.elapsed().as_nanos() / u128::from(REQUESTS))
}

fn main() -> Result<(), Failure> {
    rocket::execute(measure())
}

async fn measure() -> Result<(), Failure> {
    let without = node(None).await?;
    let few = node(Some(0)).await?;
    request(&few).await?;
    let before = memory()?;
    let start = Instant::now();
    let full = node(Some(ENTRIES)).await?;
    let (took, after) = (start.elapsed(), memory()?);
    println!("{ENTRIES} entries: read in {took:?}, {} bytes each", (after - before) / ENTRIES);
    for _ in 0..3 {
        let [without, few, full] = [request(&without).await?, request(&few).await?, request(&full).await?];
        println!(
            "a request: {without} ns without a ledger, {few} ns with an empty one, {full} ns with a full one"
        );
    }
    Ok(())
}

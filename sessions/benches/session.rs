//! What the steps of a session take at 100 B, 1 kB and 3 kB of data: `cargo bench --bench session`.
//!
//! Through the public face alone, so that any change behind it can be compared. Sealing has no public
//! name: it is what `request_that_changes` takes beyond `request_that_reads`, with encoding the data and
//! writing the header. Loading is what `request_that_reads` takes beyond `request_without_a_session`,
//! which carries the same cookie. At 3 kB the cookie is above 4096 bytes on the wire and cut in two.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use rocket::figment::Figment;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{Config, get, routes};
use sealed_sessions::inspect::Inspector;
use sealed_sessions::store::{Id, Record, UnixSeconds};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use world::KEY;

const SIZES: [usize; 3] = [100, 1000, 3000];
const NOW: UnixSeconds = 1_800_000_000;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    turn: u8,
    text: String,
}

impl Visitor {
    /// One that is `bytes` long as it is written.
    fn of(bytes: usize) -> Visitor {
        let around = r#"{"turn":1,"text":""}"#.len();
        let letters = (b'a'..=b'z').cycle().map(char::from);
        Visitor { turn: 1, text: letters.take(bytes.saturating_sub(around)).collect() }
    }
}

impl SessionData for Visitor {}

#[get("/bare")]
fn bare() -> &'static str {
    "1"
}

#[get("/read")]
fn read(session: Session<'_, Visitor>) -> String {
    session.get().turn.to_string()
}

#[get("/change")]
fn change(session: Session<'_, Visitor>) -> String {
    session.update(|visitor| {
        visitor.turn = 3 - visitor.turn;
        visitor.turn.to_string()
    })
}

#[get("/begin/<bytes>")]
fn begin(session: Session<'_, Visitor>, bytes: usize) {
    session.update(|visitor| *visitor = Visitor::of(bytes));
}

fn figment() -> Figment {
    let config = Config { log_level: rocket::config::LogLevel::Off, workers: 1, ..Config::release_default() };
    Figment::from(config).merge(("secret_key", KEY))
}

/// A browser at a clock that stands still, and the `Cookie` header of a session of this size.
fn browser(bytes: usize) -> (Client, String) {
    let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs()));
    let rocket = rocket::custom(figment())
        .attach(Sessions::<Visitor>::fairing().clock(Arc::new(clock)))
        .mount("/", routes![bare, read, change, begin]);
    let client = Client::untracked(rocket).expect("the app launches");
    let begun = client.get(format!("/begin/{bytes}")).dispatch();
    let lines = begun.headers().get("Set-Cookie").map(|line| line.split(';').next().unwrap_or_default());
    let header = lines.collect::<Vec<_>>().join("; ");
    drop(begun);
    (client, header)
}

/// One request after another with the same session.
fn request(bencher: Bencher<'_, '_>, path: &'static str, bytes: usize) {
    let (client, header) = browser(bytes);
    let prepare = || client.get(path).header(Header::new("Cookie", header.clone()));
    assert!(prepare().dispatch().into_string().is_some_and(|turn| turn.len() == 1), "{path}");
    bencher.with_inputs(prepare).bench_local_values(|request| request.dispatch());
}

#[divan::bench(args = SIZES)]
fn request_without_a_session(bencher: Bencher<'_, '_>, bytes: usize) {
    request(bencher, "/bare", bytes);
}

#[divan::bench(args = SIZES)]
fn request_that_reads(bencher: Bencher<'_, '_>, bytes: usize) {
    request(bencher, "/read", bytes);
}

#[divan::bench(args = SIZES)]
fn request_that_changes(bencher: Bencher<'_, '_>, bytes: usize) {
    request(bencher, "/change", bytes);
}

/// Find the cookie in the header, open the seal, decode the record, judge it, and describe it.
#[divan::bench(args = SIZES)]
fn open_and_describe(bencher: Bencher<'_, '_>, bytes: usize) {
    let (_, header) = browser(bytes);
    let inspector = Inspector::new(&figment()).expect("the key is good");
    assert!(inspector.open(&header, NOW).iter().all(|found| found.problem.is_none()));
    bencher.bench(|| inspector.open(black_box(&header), NOW));
}

fn record(bytes: usize) -> Record {
    let data = serde_json::to_string(&Visitor::of(bytes)).expect("it is plain data");
    assert_eq!(data.len(), bytes);
    Record {
        id: Id::from_bytes([7; Id::BYTES]),
        created: NOW,
        seen: NOW,
        version: 1,
        data,
        remembered: false,
        signed_in: None,
        subject: None,
        position: None,
    }
}

/// What the cookie store does to load: the text of its ticket back to a record.
#[divan::bench(args = SIZES)]
fn decode_a_record(bencher: Bencher<'_, '_>, bytes: usize) {
    let text = record(bytes).encode();
    bencher.bench(|| Record::decode(black_box(&text)));
}

/// What the cookie store does to write: a record to the text of its ticket.
#[divan::bench(args = SIZES)]
fn encode_a_record(bencher: Bencher<'_, '_>, bytes: usize) {
    let record = record(bytes);
    bencher.bench(|| black_box(&record).encode());
}

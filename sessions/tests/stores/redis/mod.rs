//! What only Redis can do to a store: lose an answer, move a slot, hang as one node of many, restart while nobody asks.

mod bound;
mod cluster;
mod eviction;
mod lost;
mod rows;
mod sentinel;
mod single;

use std::sync::Arc;

use redis::{Cmd, Connection, FromRedisValue};
use sealed_sessions::store::{self, Loaded, Over, Record, Store, Write, Written};
use sealed_sessions::{Clock, SystemClock};
use world::wait_for;

const REALM: &str = "__Host-Http-session";

/// The store at `url`, started.
async fn started(url: &str) -> Arc<dyn Store> {
    let store = store::open(url, REALM).unwrap();
    store.service().unwrap().start().await.unwrap();
    store
}

fn now() -> i64 {
    SystemClock.seconds()
}

/// A write that expires in half an hour.
fn write<'w>(record: &'w Record, over: Over<'w>) -> Write<'w> {
    Write { record, expires: record.seen + 1800, over }
}

/// Saves a record, which must succeed.
async fn save(store: &dyn Store, record: &Record, over: Over<'_>) {
    let written = store.save(&write(record, over)).await.unwrap();
    assert!(matches!(written, Written::Saved(_)), "{written:?}");
}

/// The record as its next write has it.
fn updated(record: &Record) -> Record {
    Record { version: record.version + 1, data: format!(r#"{{"n":{}}}"#, record.version), ..record.clone() }
}

async fn is_found(store: &dyn Store, record: &Record) {
    let loaded = store.load(&record.id.to_text(), record.seen).await.unwrap();
    assert_eq!(loaded, Loaded::Found(record.clone()));
}

/// The keys of the sessions that the server at this port has.
fn session_keys(port: u16) -> Vec<String> {
    ask(port, &format!("KEYS sessions:{REALM}:session:*"))
}

/// A client of its own at the server of this port.
fn client(port: u16) -> Connection {
    redis::Client::open(("127.0.0.1", port)).unwrap().get_connection().unwrap()
}

/// What the server at this port answers. One that becomes a replica drops all connections, so it is asked again.
fn ask<T: FromRedisValue>(port: u16, command: &str) -> T {
    let mut words = command.split(' ');
    let mut whole = Cmd::new();
    words.by_ref().for_each(|word| {
        whole.arg(word);
    });
    wait_for("an answer of Redis", || {
        let mut connection = redis::Client::open(("127.0.0.1", port)).unwrap().get_connection().ok()?;
        whole.query(&mut connection).ok()
    })
}

/// A number of a section of the server's report.
fn reported(port: u16, section: &str, name: &str) -> Option<i64> {
    let report: String = ask(port, &format!("INFO {section}"));
    let line = report.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.parse().ok()
}

/// How often the server was told this command, also by a script.
fn calls(port: u16, command: &str) -> i64 {
    let report: String = ask(port, "INFO commandstats");
    let line = report.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

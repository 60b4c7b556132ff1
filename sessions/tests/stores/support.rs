//! The site over a store, and what its browsers do.

use std::sync::Arc;

use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Build, Rocket};
use sealed_sessions::Sessions;
use sealed_sessions::store::{Listed, Over, Record, Store, Write};
use sealed_sessions::testing::ManualClock;
use time::OffsetDateTime;

use crate::site;

/// The site with its sessions in the store at `url`; `settings` go into their table.
pub fn app(url: &str, settings: &str, clock: Arc<ManualClock>) -> Rocket<Build> {
    site::rocket(&table(url, settings), Sessions::fairing().clock(clock))
}

/// The settings of an app with its sessions in the store at `url`.
pub fn table(url: &str, settings: &str) -> String {
    format!("[default.session]\nstore = {url:?}\n{settings}")
}

/// A clock that starts now: some stores forget by a clock of their own.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(OffsetDateTime::now_utc()))
}

pub async fn browser(url: &str, settings: &str) -> Client {
    Client::tracked(app(url, settings, clock())).await.unwrap()
}

pub async fn get<'c>(browser: &'c Client, path: &str) -> LocalResponse<'c> {
    browser.get(path.to_owned()).dispatch().await
}

pub async fn text(browser: &Client, path: &str) -> String {
    get(browser, path).await.into_string().await.unwrap_or_default()
}

/// The write of a new session.
pub fn new(record: &Record, expires: i64) -> Write<'_> {
    Write { record, expires, over: Over::Nothing }
}

/// The sessions of a subject.
pub async fn listed(store: &dyn Store, subject: &str, now: i64) -> Vec<Listed> {
    store.list().unwrap().of_subject(subject, now).await.unwrap()
}

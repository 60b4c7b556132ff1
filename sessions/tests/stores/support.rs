//! A small app over a store, and what its browsers do.

use std::borrow::Cow;
use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Build, Rocket, get, routes, tokio};
use sealed_sessions::{Exclusive, ManualClock, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

const KEY: &str = "c2VhbGVkIHNlc3Npb25zOiBhIGtleSBmb3IgdGVzdHM=";

#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Visitor {
    pub views: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Counters by name, written as fields of the session itself.
    #[serde(flatten)]
    pub counts: std::collections::BTreeMap<String, u64>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

type Visit<'r> = Session<'r, Visitor>;

#[get("/visits")]
fn visits(session: Visit<'_>) -> String {
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[get("/read")]
fn read(session: Visit<'_>) -> String {
    format!("{} {:?}", session.get().views, session.arrival())
}

#[get("/login/<user>")]
fn login(session: Visit<'_>, user: String) {
    session.update(|visitor| visitor.user = Some(user));
}

#[get("/renew")]
fn renew(session: Visit<'_>) {
    session.renew();
}

#[get("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

/// Adds one to a field of its own, and lets others go on between reading and writing.
#[get("/count/<field>")]
async fn count(session: Visit<'_>, field: String) {
    session.get();
    tokio::task::yield_now().await;
    session.update(|visitor| *visitor.counts.entry(field).or_default() += 1);
}

/// Adds one to the same field as everybody, alone.
#[get("/exclusive")]
async fn exclusive(session: Exclusive<'_, Visitor>) {
    let views = session.get().views;
    tokio::task::yield_now().await;
    session.update(|visitor| visitor.views = views + 1);
}

#[get("/sum")]
fn sum(session: Visit<'_>) -> String {
    session.get().counts.values().sum::<u64>().to_string()
}

/// An app whose sessions are in the store at `url`; `settings` go into its table.
pub fn app(url: &str, settings: &str, clock: Arc<ManualClock>) -> Rocket<Build> {
    let config =
        rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    let table = format!("[default.session]\nstore = {url:?}\n{settings}");
    let figment = Figment::from(config).merge(("secret_key", KEY)).merge(Toml::string(&table).nested());
    let routes = routes![visits, read, login, renew, logout, count, exclusive, sum];
    rocket::custom(figment).attach(Sessions::<Visitor>::fairing().clock(clock)).mount("/", routes)
}

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

//! The small app that is driven: one process for each store, so that its processor time and memory can be
//! measured.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::response::content::RawJson;
use rocket::{Build, Config, Rocket, Route, Shutdown, State, get, post, routes};
use sealed_sessions::ledger::Log;
use sealed_sessions::{SessionData, Sessions};
use serde::{Deserialize, Serialize};

use super::client::name_of;
use super::counts::{CountedLog, Counter, Counts};
use crate::lab::bench::{Kept, Setting, Watched, small_app};

/// The variables that configure a server. Not arguments, which others on the machine can see: a store's
/// address may hold a password.
pub(super) const STORE: &str = "SEALED_LOAD_STORE";
pub(super) const KEY: &str = "SEALED_LOAD_KEY";
pub(super) const DELAY_MICROS: &str = "SEALED_LOAD_DELAY";

/// What a server prints before its address.
pub(super) const LISTENING: &str = "listening on ";

pub(super) const COOKIE: &str = "__Host-load";

/// What a session holds.
#[derive(Default, Clone, Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(default)]
    views: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    filling: String,
}

impl SessionData for Payload {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

/// The bytes of the data of a visitor who has signed in and done nothing else.
pub(super) fn signed_in_bytes() -> usize {
    let payload = Payload { views: 1, user: Some(name_of(0, 0)), filling: String::new() };
    serde_json::to_string(&payload).map_or(0, |text| text.len())
}

type Session<'r> = sealed_sessions::Session<'r, Payload>;

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

#[get("/read")]
fn read(session: Session<'_>) -> String {
    session.get().views.to_string()
}

#[post("/write")]
fn write(session: Session<'_>) -> String {
    session.update(|payload| {
        payload.views += 1;
        payload.views.to_string()
    })
}

/// A login without hashing a password, which is slow on purpose and would drown everything else.
#[post("/sign-in?<name>")]
fn sign_in(session: Session<'_>, name: &str) -> String {
    session.reauthenticated();
    session.update(|payload| {
        payload.views += 1;
        payload.user = Some(name.to_owned());
        payload.views.to_string()
    })
}

#[post("/sign-out")]
fn sign_out(session: Session<'_>) -> &'static str {
    session.destroy();
    "0"
}

/// The most that a session is filled with: more than any cookie can hold.
const MAX_FILLING: usize = 65_536;

#[post("/fill?<bytes>")]
fn fill(session: Session<'_>, bytes: usize) -> &'static str {
    session.update(|payload| {
        payload.views += 1;
        payload.filling = "x".repeat(bytes.min(MAX_FILLING));
    });
    "0"
}

#[get("/counts")]
fn counts(counts: &State<Arc<Counts>>) -> RawJson<String> {
    RawJson(serde_json::json!(counts.by_name()).to_string())
}

/// The app that the variables ask for.
///
/// # Errors
/// When a variable is missing or makes no sense.
pub(super) fn build() -> Result<Rocket<Build>, String> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let delay: u64 =
        variable(DELAY_MICROS)?.parse().map_err(|error| format!("{DELAY_MICROS} is no number: {error}"))?;
    let (counts, delay) = (Arc::new(Counts::default()), Duration::from_micros(delay));
    let Kept { store, log } = Setting::of(&variable(STORE)?).open(COOKIE)?;
    let log =
        log.map(|log| -> Arc<dyn Log> { Arc::new(CountedLog { log, counts: Arc::clone(&counts), delay }) });
    let config = Figment::from(Config::release_default())
        .merge(("address", "127.0.0.1"))
        .merge(("port", 0))
        .merge(("log_level", "critical"));
    Ok(small_app(config, COOKIE, &variable(KEY)?, sessions(&counts, delay), Kept { store, log })
        .attach(AdHoc::on_liftoff("Address", |rocket| {
            Box::pin(async move {
                println!("{LISTENING}{}:{}", rocket.config().address, rocket.config().port);
                end_with_the_driver(rocket.shutdown());
            })
        }))
        .manage(counts)
        .mount("/", routes()))
}

/// The sessions of the app, over a store that counts what is asked of it.
pub(super) fn sessions(counts: &Arc<Counts>, delay: Duration) -> Sessions<Payload> {
    let counts = Arc::clone(counts);
    Sessions::fairing().wrap_store(move |store| {
        let counter = Counter::new(&*store, Arc::clone(&counts), delay);
        Arc::new(Watched::new(store, counter))
    })
}

pub(super) fn routes() -> Vec<Route> {
    routes![bare, read, write, sign_in, sign_out, fill, counts]
}

/// Shuts down when the driver closes the standard input, or dies.
fn end_with_the_driver(shutdown: Shutdown) {
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        shutdown.notify();
    });
}

//! Testing an app that has sessions.
//!
//! [`figment`] brings a key, and [`ManualClock`] is moved by hand, so that a test need not wait:
//!
//! ```
//! use std::sync::Arc;
//!
//! use rocket::figment::Figment;
//! use rocket::local::blocking::Client;
//! use rocket::{Build, Rocket, get, routes};
//! use sealed_sessions::testing::{self, ManualClock};
//! use sealed_sessions::{Clock, Session, SessionData, Sessions, SystemClock};
//! use serde::{Deserialize, Serialize};
//! use time::{Duration, OffsetDateTime};
//!
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     views: u64,
//! }
//!
//! impl SessionData for Visitor {}
//!
//! #[get("/")]
//! fn visits(session: Session<'_, Visitor>) -> String {
//!     session.update(|visitor| { visitor.views += 1; visitor.views }).to_string()
//! }
//!
//! // Your app calls it with rocket::Config::figment() and SystemClock.
//! fn app(figment: Figment, clock: Arc<dyn Clock>) -> Rocket<Build> {
//!     rocket::custom(figment).attach(Sessions::<Visitor>::fairing().clock(clock)).mount("/", routes![visits])
//! }
//!
//! let clock = Arc::new(ManualClock::at(OffsetDateTime::UNIX_EPOCH));
//! let browser = Client::tracked(app(testing::figment(), clock.clone())).unwrap();
//! let views = || browser.get("/").dispatch().into_string().unwrap();
//! assert_eq!(views(), "1");
//! assert_eq!(views(), "2");
//! clock.advance(Duration::minutes(31));
//! assert_eq!(views(), "1", "the session was idle for too long");
//! ```
//!
//! An app that is there already takes the clock too: sessions that are attached again take the place of the first, as in
//! `rocket().configure(testing::figment()).attach(Sessions::<Visitor>::fairing().clock(clock))`.
//!
//! Two apps that must open each other's cookies share one figment: clone it.

use rocket::Config;
use rocket::config::LogLevel;
use rocket::figment::Figment;

pub use crate::clock::ManualClock;
use crate::cookie::key::generate_key;

/// Rocket's debug defaults with a new `secret_key` and without logs. Reads neither `Rocket.toml` nor the environment,
/// so an app with realms is tested as one realm with the default cookie. To test with your own settings, merge them,
/// and then what has to differ:
///
/// ```
/// use rocket::figment::providers::{Format, Toml};
/// use sealed_sessions::testing;
///
/// let figment = testing::figment()
///     .merge(Toml::file("Rocket.toml").nested())
///     .merge(("session.store", "cookie"));
/// ```
///
/// Without random bits from the operating system there is no key, and the launch is refused.
pub fn figment() -> Figment {
    let figment = Figment::from(Config { log_level: LogLevel::Off, ..Config::debug_default() });
    match generate_key() {
        Ok(key) => figment.merge(("secret_key", key)),
        Err(_) => figment,
    }
}

//! Sessions for Rocket.
//!
//! A session is a value of your own type behind a request guard, kept between requests in one encrypted
//! cookie, or in a server store: a choice of one line in `Rocket.toml`.
//!
//! ```
//! use rocket::{get, routes};
//! use sealed_sessions::{Session, SessionData, Sessions};
//! use serde::{Deserialize, Serialize};
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
//! let key = sealed_sessions::generate_key().unwrap();
//! let figment = rocket::figment::Figment::from(rocket::Config::debug_default());
//! let figment = figment.merge(("secret_key", key)).merge(("log_level", "off"));
//! let rocket = rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![visits]);
//!
//! let browser = rocket::local::blocking::Client::tracked(rocket).unwrap();
//! assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "1");
//! assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "2");
//! ```
//!
//! # How it works
//!
//! ```text
//! browser ──cookie──▶ open (keyring) ──ticket──▶ Store::load ──record──▶ Session<T> ──▶ handler
//! browser ◀─Set-Cookie── seal ◀──ticket── Store::create|update|… ◀── commit (fairing, once per request)
//! ```
//!
//! A [`Record`] is what a session is; a [`Ticket`] is what its cookie carries, always sealed. With the
//! [`CookieStore`] the ticket is the whole record, with a server store it is the session's id: nothing
//! above the trait [`Store`] knows which.
//!
//! # What can go wrong
//!
//! Whatever a browser sends is a session or an empty one: [`Session::arrival`] says why. Only a fault of
//! the store is an error: the request is answered with the app's 503 page and nothing is lost. A setting
//! that makes no sense refuses the launch.

mod clock;
mod commit;
mod config;
pub mod conformance;
mod cookie;
mod ending;
mod error;
mod expiry;
mod fairing;
mod guard;
mod id_hash;
mod inspect;
mod keyring;
#[cfg(test)]
mod laws;
mod live;
mod load;
mod merge;
mod realm;
mod record;
mod seal;
mod sent;
mod span;
mod store;
mod ticket;
mod timing;
mod upkeep;

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::clock::{Clock, ManualClock, SystemClock, UnixSeconds};
pub use self::commit::Failure;
pub use self::config::{ConfigError, has_secret_key};
pub use self::cookie::{LINE_LIMIT, Wire};
pub use self::error::{Arrival, Invalid, SessionError, StoreError, Timeout};
pub use self::expiry::{Deadlines, Lifetime, Lifetimes};
pub use self::fairing::{Sessions, failure};
pub use self::guard::{Exclusive, Realms, Session};
pub use self::id_hash::IdHash;
pub use self::inspect::{Inspection, Inspector, OpenedRecord};
pub use self::keyring::{KEY_FORMS, KeyAge, KeyProblem, Keyring, generate_key, parse_key};
pub use self::record::{FORMAT, Id, Record};
pub use self::seal::{NONCE_BYTES, TAG_BYTES};
pub use self::store::{
    Capabilities, CookieStore, Listed, Loaded, Lock, ROTATION_GRACE, Store, Written, open_store,
};
pub use self::ticket::Ticket;
pub use self::timing::commit_times;

/// What a session holds: any struct with named fields. It is written as a JSON object.
///
/// Add fields with `#[serde(default)]`, so that sessions of the last release are still read; a session
/// that cannot be read counts as none ([`Invalid::Schema`]). One that equals `T::default()` is not kept.
pub trait SessionData: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Whose session this is: the account's id, or none while the visitor is anonymous. A change of it
    /// gives the session a new id.
    fn subject(&self) -> Option<Cow<'_, str>> {
        None
    }
}

//! The rules of DESIGN, each by its number: on the cookie store, and with the feature `memory` on a server
//! store too.

mod caching;
#[cfg(feature = "memory")]
mod conflicts;
mod cookies;
mod ear;
mod ended;
#[cfg(feature = "memory")]
mod error_page;
mod events;
#[cfg(feature = "memory")]
mod exclusive;
mod expires;
#[cfg(feature = "memory")]
mod faulty;
mod first_time;
mod formats;
mod forms;
mod hostile;
#[cfg(feature = "memory")]
mod late;
mod launch;
mod log;
mod nameless;
mod read_only;
mod reads_back;
mod realms;
mod rollover;
mod rotation;
mod rules;
#[cfg(feature = "memory")]
mod sign_in;
#[path = "../site/mod.rs"]
mod site;
mod stale;
#[cfg(feature = "memory")]
mod stores;
mod support;
#[cfg(feature = "memory")]
mod together;
mod wire;
mod withheld;

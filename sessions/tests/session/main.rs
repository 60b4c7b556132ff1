//! The rules of DESIGN, each by its number: on the cookie store, and with the feature `memory` on a server
//! store too.

#[cfg(feature = "memory")]
mod faulty;
mod formats;
mod hostile;
#[cfg(feature = "memory")]
mod late;
mod launch;
mod log;
mod realms;
mod rules;
#[path = "../site/mod.rs"]
mod site;
#[cfg(feature = "memory")]
mod stores;
mod support;

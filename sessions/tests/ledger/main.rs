//! Cookie sessions that the server can end: the ledger.

mod conformance;
#[cfg(feature = "stores")]
mod databases;
#[path = "../session/ear.rs"]
mod ear;
mod ended;
mod events;
mod faults;
mod first_time;
mod gaps;
mod handles;
mod hints;
#[cfg(feature = "stores")]
mod how_long;
mod kept;
mod labels;
mod late;
#[path = "../session/log.rs"]
mod log;
mod logout;
mod node;
mod one_session;
mod order;
#[cfg(feature = "stores")]
mod pushed;
mod quiet;
mod settings;
mod site;
mod watched;
mod wrapped;

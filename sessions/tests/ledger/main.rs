//! Cookie sessions that the server can end: the ledger.

mod conformance;
#[cfg(all(
    feature = "mongodb",
    feature = "mysql",
    feature = "postgres",
    feature = "redis",
    feature = "sqlite"
))]
mod databases;
mod faults;
mod first_time;
mod late;
#[path = "../session/log.rs"]
mod log;
mod logout;
mod node;
mod order;
mod quiet;
mod settings;
mod site;
mod watched;

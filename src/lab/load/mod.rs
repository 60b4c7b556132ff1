//! The load test: the same small app on every store, driven over real HTTP.
//!
//! [`run`] starts a server for each store as a process of its own, drives it with mixes of requests that
//! carry cookies, and returns a [`Report`]: as JSON, as a page, as one HTML file.

mod at_rest;
mod client;
mod command;
mod connection;
mod costs;
mod counts;
mod drive;
#[cfg(test)]
mod hour;
mod measure;
mod model;
mod place;
mod process;
mod report;
mod run;
mod server;
mod traffic;
mod view;
mod visitor;
mod wire;
mod workload;

pub use self::command::{Arguments, command, serve};
pub use self::costs::Costs;
pub use self::measure::{Figures, Latency, Spread};
pub use self::process::SUBCOMMAND;
pub use self::report::{AtRest, Delayed, OnTheWire, Report, StoreReport};
pub use self::run::{Options, run};
pub(crate) use self::view::grouped;
pub use self::view::{Plot, Table, View, sample};

//! The load test: the same small app on every store, driven over real HTTP, and what came of it.
//!
//! [`run`] starts a server for each store as a process of its own, drives mixes of requests with carried
//! cookies and gives a [`Report`]: as JSON, as a page, as one file of HTML.

mod command;
mod driver;
mod measure;
mod observed;
mod plots;
mod process;
mod report;
mod run;
mod server;
mod view;
mod workload;

pub use self::command::{Arguments, command, serve};
pub use self::measure::{Figures, Latency};
pub use self::process::SUBCOMMAND;
pub use self::report::{AtRest, Delayed, OnTheWire, Report, StoreReport};
pub use self::run::{Options, run};
pub use self::view::{Plot, Table, View};

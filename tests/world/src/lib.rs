//! The world that the tests of the library and of the app run in: the program, a client that sends exactly
//! the bytes it is told to, and database servers.
//!
//! This crate depends on neither package, so it changes nothing about how they are built.

mod answer;
mod client;
mod connection;
mod curl;
pub mod databases;
mod every;
mod nginx;
mod process;
mod program;
mod proxy;
mod signals;
mod skip;
mod wait;

pub use self::answer::{Answer, COOKIE};
pub use self::client::{Jar, PASSWORD, TO_LOGIN, encode, form};
pub use self::connection::Connection;
pub use self::curl::Curl;
pub use self::nginx::Nginx;
pub use self::process::Process;
pub use self::program::{Program, Server};
pub use self::proxy::Proxy;
pub use self::skip::skipped;
pub use self::wait::wait_for;

/// The secret key of the apps under test.
pub const KEY: &str = "c2VhbGVkIHNlc3Npb25zOiBhIGtleSBmb3IgdGVzdHM=";

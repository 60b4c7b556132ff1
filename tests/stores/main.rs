//! Every server store against the real thing.

#[path = "../http/client.rs"]
#[allow(dead_code, reason = "shared with the tests over HTTP")]
mod client;
mod conformance;
mod crowds;
mod every;
mod flawed;
mod launch;
mod life;
mod outage;
mod parallel;
mod program;
#[path = "../http/server.rs"]
#[allow(dead_code, reason = "shared with the tests over HTTP")]
mod server;
#[allow(dead_code, reason = "a harness for all of the tests")]
mod servers;
mod support;

//! The program on every server store, against the real thing.

#[path = "../http/client.rs"]
#[allow(dead_code, reason = "shared with the tests over HTTP")]
mod client;
#[path = "../../sessions/tests/stores/every.rs"]
mod every;
mod launch;
mod outage;
mod program;
#[path = "../http/server.rs"]
#[allow(dead_code, reason = "shared with the tests over HTTP")]
mod server;
#[path = "../../sessions/tests/stores/servers.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores")]
mod servers;

//! Every server store against the real thing.

mod conformance;
mod flawed;
#[allow(dead_code, reason = "a harness")]
mod servers;

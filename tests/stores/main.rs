//! Every server store against the real thing.

mod conformance;
mod every;
mod flawed;
mod life;
mod parallel;
#[allow(dead_code, reason = "a harness for all of the tests")]
mod servers;
mod support;

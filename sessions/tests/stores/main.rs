//! Every server store against the real thing.

mod conformance;
mod crowds;
mod every;
mod flawed;
mod life;
mod parallel;
#[allow(dead_code, reason = "shared with the tests of the app")]
mod servers;
mod support;

//! Every server store against the real thing.

mod conformance;
mod crowds;
mod flawed;
mod life;
mod namespaces;
mod parallel;
mod redis;
#[path = "../site/mod.rs"]
mod site;
mod support;

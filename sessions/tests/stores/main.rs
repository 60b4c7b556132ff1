//! Every server store against the real thing.

mod anonymous;
mod conformance;
mod crowds;
mod defaults;
mod flawed;
mod life;
mod losses;
mod lost_answers;
mod max_sessions;
mod namespaces;
mod operator;
mod outrun;
mod parallel;
mod redis;
mod round_trips;
#[path = "../site/mod.rs"]
mod site;
mod support;
mod sweeping;

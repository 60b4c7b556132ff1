//! The program on every server store, against the real thing.

mod launch;
mod outage;
mod program;

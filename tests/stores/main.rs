//! The program on every server store, against the real thing.

mod encrypted;
mod launch;
mod outage;
mod program;

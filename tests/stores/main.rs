//! The program on every server store, against the real thing.

mod encrypted;
mod launch;
mod operator;
mod outage;
mod program;

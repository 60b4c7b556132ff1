//! A soak: three processes of the program at full speed, 200 visitors who sign in and out, and what goes wrong in a
//! year within ten minutes.
//!
//! `cargo test --release --test soak --features stores -- --ignored --nocapture` runs it and prints what it saw;
//! `SOAK` is for how long. docs/soak.md says what is judged.

mod asker;
mod copies;
mod dice;
mod findings;
mod forms;
mod keyholder;
mod memory;
mod metrics;
mod outages;
mod report;
mod run;
mod script;
mod settings;
mod site;
mod stay;
mod tally;
mod visitor;

use std::env;
use std::time::Duration;

use self::run::soak;

/// How many visitors there are.
fn visitors() -> usize {
    env::var("VISITORS")
        .map_or(200, |text| text.parse().unwrap_or_else(|error| panic!("VISITORS={text}: {error}")))
}

/// How long the soak takes at the least, from the first of what goes wrong.
fn length() -> Duration {
    let text = env::var("SOAK").unwrap_or_else(|_| "10 minutes".to_owned());
    humantime::parse_duration(&text).unwrap_or_else(|error| panic!("SOAK={text}: {error}"))
}

/// Says what it does while it does it. Its figures mean something on a quiet machine, of a release build.
#[test]
#[ignore = "takes ten minutes and all of the machine"]
fn nothing_acknowledged_is_lost_while_everything_is_restarted_in_turn() {
    soak(visitors(), length());
}

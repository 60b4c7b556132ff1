//! Waiting for something that other processes do.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub(crate) const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// After a minute without one.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < WAIT_TIMEOUT, "waited {WAIT_TIMEOUT:?} for {what}");
        sleep(POLL_INTERVAL);
    }
}

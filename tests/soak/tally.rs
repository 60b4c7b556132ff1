//! What the visitors did, in numbers.

use std::time::Duration;

/// What one visitor did, or all of them.
#[derive(Default)]
pub struct Tally {
    /// How long each page took, in microseconds.
    pub pages: Vec<u32>,
    /// How long each form with a password took.
    pub passwords: Vec<u32>,
    /// How long all other forms took.
    pub forms: Vec<u32>,
    pub accounts: u64,
    pub sign_ins: u64,
    pub sign_outs: u64,
    pub confirmations: u64,
    /// How many visitors were signed out by a confirmation whose answer was lost.
    pub outs: u64,
    pub refusals: u64,
    /// How many copies that the process had a key for were answered.
    pub replays: u64,
    /// How many replays another process still answered, since it did not know of the logout yet.
    pub opened: u64,
    /// How long after the logout the last of them was.
    pub opened_after: Duration,
}

/// Half of the times, and 99 of a hundred, are at most these, in milliseconds.
pub fn percentiles(times: &[u32]) -> (f64, f64) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at =
        |share: usize| times.get(times.len() * share / 100).map_or(0.0, |&micros| f64::from(micros) / 1e3);
    (at(50), at(99))
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.pages.extend(other.pages);
        self.passwords.extend(other.passwords);
        self.forms.extend(other.forms);
        self.accounts += other.accounts;
        self.sign_ins += other.sign_ins;
        self.sign_outs += other.sign_outs;
        self.confirmations += other.confirmations;
        self.outs += other.outs;
        self.refusals += other.refusals;
        self.replays += other.replays;
        self.opened += other.opened;
        self.opened_after = self.opened_after.max(other.opened_after);
    }

    pub fn requests(&self) -> usize {
        self.pages.len() + self.passwords.len() + self.forms.len()
    }
}

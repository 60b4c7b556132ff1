//! What broke a rule.

use std::fmt::Display;
use std::sync::Mutex;
use std::time::Duration;

/// How many are told; the others are counted.
const MAX_TOLD: usize = 50;

/// What broke a rule, in the order in which it was found.
#[derive(Default)]
pub struct Findings(Mutex<Vec<String>>);

impl Findings {
    /// Tells what was found, at this moment of the run.
    pub fn tell(&self, at: Duration, what: impl Display) {
        let told = format!("{:8.2} s  BROKEN: {what}", at.as_secs_f64());
        let mut all = self.0.lock().unwrap();
        if all.len() < MAX_TOLD {
            println!("{told}");
        }
        all.push(told);
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

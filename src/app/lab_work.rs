//! What the lab is doing: one run of experiments at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// The work of the lab.
#[derive(Default)]
pub(super) struct Work {
    turn: Arc<Turn<()>>,
    doing: Arc<Mutex<Option<Doing>>>,
}

struct Doing {
    slug: &'static str,
    number: usize,
    count: usize,
}

/// A run of so many experiments. Until it is dropped, no other begins.
pub(super) struct Run {
    doing: Arc<Mutex<Option<Doing>>>,
    number: usize,
    count: usize,
    _turn: OwnedMutexGuard<()>,
}

impl Work {
    /// Begins a run, unless one is under way.
    pub(super) fn begin(&self, count: usize) -> Option<Run> {
        let turn = Arc::clone(&self.turn).try_lock_owned().ok()?;
        Some(Run { doing: Arc::clone(&self.doing), number: 0, count, _turn: turn })
    }

    /// Waits for the end of the run that is under way.
    pub(super) async fn ended(&self) {
        drop(self.turn.lock().await);
    }

    /// What is being done, as a sentence.
    pub(super) fn doing(&self) -> Option<String> {
        let doing = locked(&self.doing);
        doing.as_ref().map(|Doing { slug, number, count }| {
            format!("The lab is at work on {slug}, experiment {number} of {count} in this run.")
        })
    }
}

impl Run {
    /// Goes on to the experiment of this name.
    pub(super) fn go_on(&mut self, slug: &'static str) {
        self.number += 1;
        *locked(&self.doing) = Some(Doing { slug, number: self.number, count: self.count });
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        *locked(&self.doing) = None;
    }
}

fn locked(doing: &Mutex<Option<Doing>>) -> MutexGuard<'_, Option<Doing>> {
    doing.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_run_at_a_time_and_it_says_what_it_is_at() {
        let work = Work::default();
        assert_eq!(work.doing(), None);
        let mut run = work.begin(2).expect("nothing is under way");
        assert!(work.begin(21).is_none());
        for (slug, number) in [("tamper", 1), ("restart", 2)] {
            run.go_on(slug);
            let said = format!("The lab is at work on {slug}, experiment {number} of 2 in this run.");
            assert_eq!(work.doing(), Some(said));
        }
        drop(run);
        assert_eq!(work.doing(), None);
        assert!(work.begin(1).is_some());
    }
}

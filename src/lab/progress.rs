//! How far a long command is, on standard error.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::say;

/// A bar on a terminal, which is gone at the end. Elsewhere there is no bar, but the steps are still said.
pub(super) struct Progress {
    bar: ProgressBar,
    has_bar: bool,
}

impl Progress {
    pub(super) fn new(steps: u64) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        Progress { bar, has_bar: stderr().is_terminal() }
    }

    /// Says which step begins.
    pub(super) fn step(&self, what: &str) {
        if self.has_bar {
            self.bar.set_message(what.to_owned());
            self.bar.inc(1);
        } else {
            say(what);
        }
    }

    /// Leaves no trace of the bar.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

//! The log while experiments run on the command line: they provoke errors, which nobody needs to read.

use log::{Log, Metadata, Record};

struct Nothing;

impl Log for Nothing {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _record: &Record<'_>) {}

    fn flush(&self) {}
}

/// Lets nothing be logged from now on, unless this process has a log already.
pub(super) fn log_nothing() {
    let _ = log::set_boxed_logger(Box::new(Nothing));
}

//! Tests that need a program which is not installed.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Mutex;

/// Says, once for each group of tests, that they are skipped because the program `missing` is not installed.
///
/// # Panics
/// On a machine that checks every change (`CI=true`): there a test that cannot run has failed.
pub fn skipped(tests: &'static str, missing: impl Display) {
    static SAID: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    assert!(env::var("CI").as_deref() != Ok("true"), "{tests}: {missing} is not installed");
    if SAID.lock().unwrap().insert(tests) {
        // Past the harness, which hides the output of tests that pass.
        let _ = writeln!(io::stderr(), "{tests} tests SKIPPED: no {missing} (scripts/test installs it)");
    }
}

//! A process of a test.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command};

use crate::signals::signal;
use crate::wait::wait_for;

/// A process that logs to a file. It is killed when this value is dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the command with its output and its errors in the file `log`.
    ///
    /// # Errors
    /// When the program cannot be run, for example because it is not installed.
    pub fn spawn(command: &mut Command, log: PathBuf) -> io::Result<Process> {
        let output = File::create(&log)?;
        let child = command.stdout(output.try_clone()?).stderr(output).spawn()?;
        Ok(Process { child, log })
    }

    /// The process id. It may belong to another process once this one has ended.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it logs `sign`, and returns the port that follows.
    ///
    /// # Panics
    /// When it ends instead, or takes too long.
    pub fn port_after(&mut self, sign: &str) -> u16 {
        wait_for(sign, || {
            let has_ended = self.has_ended();
            let said = self.log();
            assert!(!has_ended, "it ended before it logged {sign:?}:\n{said}");
            let (port, _) = said.split_once(sign)?.1.split_once(|letter: char| !letter.is_ascii_digit())?;
            port.parse().ok()
        })
    }

    /// Tells it to stop, and waits until it has ended.
    pub fn stop(&mut self) {
        signal("TERM", &[self.id()]);
        wait_for("a process to stop", || self.has_ended().then_some(()));
    }

    /// Kills it, and waits until it has ended.
    pub fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

//! One process of a database, with the processes it starts itself.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::process::Process;
use crate::signals::{children, is_alive, signal};
use crate::wait::wait_for;

pub(super) struct Node {
    pub(super) command: Command,
    pub(super) port: u16,
    pub(super) log: PathBuf,
    ready: Box<dyn Fn() -> bool + Send + Sync>,
    /// None once it has ended: its process id may belong to another process from then on.
    process: Option<Process>,
    /// Resumes the paused processes as soon as its input closes, even because the test was killed: a server's
    /// children end by themselves then, but not while they are stopped.
    waker: Option<Child>,
}

impl Node {
    pub(super) fn new(
        command: Command,
        port: u16,
        log: PathBuf,
        ready: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Node {
        Node { command, port, log, ready: Box::new(ready), process: None, waker: None }
    }

    pub(super) fn spawn(&mut self) {
        let process = Process::spawn(self.command.stdin(Stdio::null()), self.log.clone());
        self.process = Some(process.unwrap_or_else(|error| panic!("cannot run {:?}: {error}", self.command)));
    }

    pub(super) fn is_ready(&self) -> bool {
        (self.ready)()
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.process.take_if(|process| process.has_ended());
        self.process.is_none()
    }

    /// What went wrong, with its arguments and its log.
    pub(super) fn failure(&self, problem: &str) -> String {
        let arguments: Vec<_> = self.command.get_args().collect();
        let log = fs::read_to_string(&self.log).unwrap();
        format!("{arguments:?} {problem}:\n{log}")
    }

    pub(super) fn pause(&mut self) {
        let Some(pid) = self.pid().filter(|_| self.waker.is_none()) else { return };
        let mut waker = Command::new("sh");
        waker.args(["-c", "read -r _; kill -s CONT \"$@\"", "sh", &pid.to_string()]);
        waker.args(self.stop().iter().map(u32::to_string));
        // In a group of its own, which a terminal does not interrupt.
        waker.process_group(0).stdin(Stdio::piped()).stderr(Stdio::null());
        self.waker = Some(waker.spawn().unwrap());
    }

    pub(super) fn resume(&mut self) {
        if let Some(mut waker) = self.waker.take() {
            // This closes its input first.
            waker.wait().unwrap();
        }
    }

    pub(super) fn kill(&mut self) {
        let children = self.stop();
        let Some(mut process) = self.process.take() else { return };
        process.kill();
        signal("KILL", &children);
        // PostgreSQL does not start again as long as one of them holds the shared memory.
        wait_for("the children of a server to end", || {
            (!children.iter().any(|&pid| is_alive(pid))).then_some(())
        });
        self.resume();
    }

    /// Stops the process and its children, and returns the children's ids. The process is stopped first, so
    /// that it starts no more of them.
    fn stop(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else { return Vec::new() };
        signal("STOP", &[pid]);
        let children = children(pid);
        signal("STOP", &children);
        children
    }

    fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }
}

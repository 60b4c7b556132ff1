//! Signals to processes, and who their children are.

use std::fs;
use std::process::{Command, Stdio};

pub(crate) fn signal(name: &str, pids: &[u32]) {
    if !pids.is_empty() {
        // Every machine has the shell's own `kill`. It fails only when they have ended already.
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s \"$0\" \"$@\"", name]).args(pids.iter().map(u32::to_string));
        let _ = kill.stderr(Stdio::null()).status();
    }
}

pub(crate) fn children(parent: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid| state(pid).is_some_and(|(_, its)| its == parent)).collect()
}

/// Whether it is running. A process whose exit status nobody has asked for yet is dead.
pub(crate) fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// The state of a process and its parent, which follow its name in parentheses.
fn state(pid: u32) -> Option<(String, u32)> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = line.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

//! The accounts that the servers run as.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// A command that ends with this thread. It runs as `account` if this process is root's: some servers refuse
/// to run as root. Nothing in the environment changes what it does.
pub(crate) fn server_command(program: &Path, account: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).current_dir("/").env_clear();
    command.env("LC_ALL", "C").env("PATH", env::var_os("PATH").unwrap_or_default());
    if let Some(account) = account.filter(|_| user() == 0) {
        command.args([
            format!("--reuid={account}"),
            format!("--regid={account}"),
            "--init-groups".to_owned(),
        ]);
    }
    command.arg(program);
    command
}

/// The user that this process runs as.
pub(super) fn user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

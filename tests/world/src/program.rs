//! The app's program, started on a port and in a directory of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;

const LAUNCHED: &str = "launched from http://127.0.0.1:";
const LAUNCHED_WITH_TLS: &str = "launched from https://127.0.0.1:";

/// The app's [`Program`]. Cargo tells only the integration tests of the app where it is.
#[macro_export]
macro_rules! program {
    () => {
        $crate::Program::at(env!("CARGO_BIN_EXE_sealed-sessions"))
    };
}

/// The app's program, which [`program!`](crate::program!) finds.
#[derive(Clone, Copy)]
pub struct Program {
    path: &'static str,
}

impl Program {
    /// The program at this path.
    pub fn at(path: &'static str) -> Program {
        Program { path }
    }

    /// A command that runs it in this directory. Nothing in the environment of the tests changes what it does.
    pub fn command(self, dir: &Path) -> Command {
        let mut command = Command::new(self.path);
        command.current_dir(dir).env_clear().env("ROCKET_CLI_COLORS", "false");
        command
    }

    /// Starts the app with settings as `ROCKET_…` variables.
    pub fn start(self, settings: &[(&str, &str)]) -> Server {
        self.start_in(tempfile::tempdir().unwrap(), settings)
    }

    /// Tries to start the app, and returns what it said when it refused.
    ///
    /// # Panics
    /// When it launches.
    pub fn refusal(self, settings: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let output = self.serve(&dir, settings).output().unwrap();
        assert!(!output.status.success(), "it launched after all");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn start_in(self, dir: TempDir, settings: &[(&str, &str)]) -> Server {
        let mut process = Process::spawn(&mut self.serve(&dir, settings), dir.path().join("log")).unwrap();
        let has_tls = settings.iter().any(|(key, _)| *key == "ROCKET_TLS");
        let port = process.port_after(if has_tls { LAUNCHED_WITH_TLS } else { LAUNCHED });
        Server { program: self, process, port, dir }
    }

    fn serve(self, dir: &TempDir, settings: &[(&str, &str)]) -> Command {
        // An empty directory to run in shows that the program needs no file of the repository.
        let empty = dir.path().join("empty");
        fs::create_dir_all(&empty).unwrap();
        let mut command = self.command(&empty);
        command
            // The system picks a free port: one picked here could be taken before it is used.
            .env("ROCKET_PORT", "0")
            .env("ROCKET_DATA_DIR", dir.path().join("data"))
            .env("ROCKET_LOG_LEVEL", "normal")
            .envs(settings.iter().copied());
        command
    }
}

/// A running app. Its process ends with this value, its data with the directory.
pub struct Server {
    program: Program,
    process: Process,
    /// Where it listens.
    pub port: u16,
    /// Holds its data and its log.
    pub dir: TempDir,
}

impl Server {
    /// Ends the process and starts another one over the same data.
    pub fn restart(self, settings: &[(&str, &str)]) -> Server {
        let Server { program, process, dir, .. } = self;
        drop(process);
        program.start_in(dir, settings)
    }

    /// Kills the process as a crash would. [`Server::restart`] starts another.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Tells the process to stop, as an operator does, and waits until it has.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// The memory of the process that is in RAM, in bytes; `None` once it has ended.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    /// How many threads the process has, and how many files and connections it holds open.
    pub fn holds(&self) -> (usize, usize) {
        let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", self.process.id())).unwrap().count();
        (count("task"), count("fd"))
    }

    /// Everything the app has logged since its last start.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Checks that the process is still running and that none of its threads has panicked.
    #[track_caller]
    pub fn assert_well(&mut self) {
        let log = self.log();
        assert!(!self.process.has_ended() && !log.contains("panicked"), "{log}");
    }
}

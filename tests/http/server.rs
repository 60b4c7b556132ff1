//! The program, started on a port and in a directory of its own.

use std::fs::{self, File};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything that is waited for may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

const LAUNCHED: &str = "launched from http://127.0.0.1:";

/// A running app. It ends with this value; its data only with the directory.
pub struct Server {
    child: Child,
    pub port: u16,
    /// Holds its data and its log.
    pub dir: TempDir,
}

impl Server {
    /// Starts the app with settings as `ROCKET_…` variables.
    pub fn start(settings: &[(&str, &str)]) -> Server {
        Server::start_in(tempfile::tempdir().unwrap(), settings)
    }

    /// Ends the process and starts another one over the same data.
    pub fn restart(mut self, settings: &[(&str, &str)]) -> Server {
        self.stop();
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        Server::start_in(dir, settings)
    }

    /// Tries to start the app; what it said when it refused.
    pub fn refusal(settings: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let output = Server::command(&dir, settings).output().unwrap();
        assert!(!output.status.success(), "it launched after all");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn command(dir: &TempDir, settings: &[(&str, &str)]) -> Command {
        // An empty directory to run in shows that the program needs no file of the repository.
        let empty = dir.path().join("empty");
        fs::create_dir_all(&empty).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealed-sessions"));
        command
            .current_dir(&empty)
            .env_clear()
            // The system picks a free port: one picked here could be taken before it is used.
            .env("ROCKET_PORT", "0")
            .env("ROCKET_DATA_DIR", dir.path().join("data"))
            .env("ROCKET_LOG_LEVEL", "normal")
            .env("ROCKET_CLI_COLORS", "false")
            .envs(settings.iter().copied());
        command
    }

    fn start_in(dir: TempDir, settings: &[(&str, &str)]) -> Server {
        let log = dir.path().join("log");
        let output = File::create(&log).unwrap();
        let mut child = Server::command(&dir, settings)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let port = wait_for("the app to launch", || {
            let said = fs::read_to_string(&log).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "the app did not launch:\n{said}");
            said.split_once(LAUNCHED)?.1.lines().next()?.parse().ok()
        });
        Server { child, port, dir }
    }

    fn stop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How many threads the process has, and how many files and connections it holds open.
    pub fn holds(&self) -> (usize, usize) {
        let count = |what: &str| fs::read_dir(format!("/proc/{}/{what}", self.child.id())).unwrap().count();
        (count("task"), count("fd"))
    }

    /// All that the app has logged since its last start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// The process goes on, and none of its threads has panicked.
    #[track_caller]
    pub fn assert_well(&mut self) {
        let log = self.log();
        assert!(self.child.try_wait().unwrap().is_none() && !log.contains("panicked"), "{log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Asks again until there is an answer; fails when it takes longer than [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        sleep(Duration::from_millis(20));
    }
}

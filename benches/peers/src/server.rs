//! A running program, and what it has used.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use world::Process;

use crate::Outcome;
use crate::client::Connection;
use crate::sides::{Side, directory};

/// How long a start may take, under callgrind on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Of the times in `/proc/<pid>/stat`, on every Linux.
const TICKS_PER_SECOND: u32 = 100;

/// A server, which is killed when this value is dropped, or when the thread that started it ends.
pub struct Server {
    process: Process,
    port: u16,
}

impl Server {
    /// Starts the program of this side by way of a command such as `taskset -c 0`, and waits until it answers.
    pub async fn start<S: AsRef<str>>(by: &[S], side: Side, store: &str) -> Outcome<Server> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).args(by.iter().map(AsRef::as_ref)).arg(side.program.path()?);
        // Nothing in the environment changes what is measured.
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).current_dir("/");
        command.env("STORE", store).env("PORT", port.to_string());
        command.env("ROCKET_PORT", port.to_string()).env("ROCKET_WORKERS", "1");
        command.env("ROCKET_SECRET_KEY", world::KEY);
        if side.private {
            command.env("PRIVATE", "true");
        }
        let mut server = Server { process: Process::spawn(&mut command, log()?)?, port };
        let start = Instant::now();
        while server.connect().await.is_err() {
            if server.process.has_ended() || start.elapsed() > PATIENCE {
                return Err(
                    format!("{} with {store} does not start:\n{}", side.name, server.process.log()).into()
                );
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(server)
    }

    pub async fn connect(&self) -> Outcome<Connection> {
        Connection::open(self.port).await
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The processor time that all its threads have used.
    pub fn processor_time(&self) -> Outcome<Duration> {
        let line = fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // The name, in parentheses, is the second field; the times are the 14th and 15th.
        let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11);
        let ticks = fields.take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
    }
}

/// A new file.
fn log() -> Outcome<PathBuf> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    Ok(directory()?.join(format!("{}.log", STARTED.fetch_add(1, Ordering::Relaxed))))
}

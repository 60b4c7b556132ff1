//! A server as a process of its own, from its start to its end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use hyper::{Method, Uri};

use super::driver::{Connection, Traffic, Visitor};
use super::measure::{cpu_seconds, resident_bytes};
use super::server::{DELAY_MICROS, KEY, LISTENING, STORE};

/// The hidden subcommand that is such a server.
pub const SUBCOMMAND: &str = "load-server";

/// How long a server may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of what a server says is kept until somebody asks.
const MOST_LINES: usize = 100;

/// What a server is told.
pub(super) struct Setup<'s> {
    pub(super) program: &'s Path,
    pub(super) store: &'s str,
    pub(super) key: &'s str,
    pub(super) delay: Duration,
}

/// A running server. It ends with this value.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    said: Receiver<String>,
}

impl Server {
    pub(super) fn start(setup: &Setup<'_>) -> Result<Server, String> {
        let mut command = Command::new(setup.program);
        // What is configured for the app is not for this.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("ROCKET_")) {
                command.env_remove(name);
            }
        }
        let mut child = command
            .arg(SUBCOMMAND)
            .env(STORE, setup.store)
            .env(KEY, setup.key)
            .env(DELAY_MICROS, setup.delay.as_micros().to_string())
            // One for the server, so that there is a core left for the driver on a machine with two.
            .env("ROCKET_WORKERS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", setup.program.display()))?;
        let (sender, said) = sync_channel(MOST_LINES);
        pass_on(child.stdout.take(), sender.clone());
        pass_on(child.stderr.take(), sender);
        let begun = Instant::now();
        let mut complaints = Vec::new();
        while let Ok(line) = said.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if let Some(address) = line.strip_prefix(LISTENING) {
                let address = address.parse().map_err(|_| format!("{address:?} is no address"))?;
                return Ok(Server { child, address, said });
            }
            complaints.push(line);
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(format!("the server does not start: {}", complaints.join(" ")))
    }

    /// The processor time that it has used, in seconds.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Its memory, in bytes.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        resident_bytes(&self.child.id().to_string())
    }

    /// How often each operation of its store was asked for.
    pub(super) async fn counts(&self) -> Result<BTreeMap<String, u64>, String> {
        let mut connection = Connection::open(self.address, &Arc::new(Traffic::default())).await?;
        let mut body = Vec::new();
        let uri = Uri::from_static("/counts");
        connection.ask(Method::GET, uri, &mut Visitor::default(), Some(&mut body)).await?;
        serde_json::from_slice(&body).map_err(|error| format!("the server's counts: {error}"))
    }

    /// What it has said of what went wrong, for the message that says that something did.
    pub(super) fn complaints(&self) -> String {
        self.said.try_iter().take(20).collect::<Vec<_>>().join(" ")
    }

    /// Has it close its store and end.
    pub(super) fn stop(mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes an output on line by line. Goes on reading where nobody wants more, so that a full pipe holds
/// nobody up and a closed one ends nobody.
fn pass_on(output: Option<impl Read + Send + 'static>, sender: SyncSender<String>) {
    if let Some(output) = output {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.try_send(line);
            }
        });
    }
}

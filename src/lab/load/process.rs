//! A server in its own process, from start to end.

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

use super::connection::Connection;
use super::measure::{cpu_seconds, resident_bytes};
use super::server::{DELAY_MICROS, KEY, LISTENING, STORE};
use super::traffic::Traffic;
use super::visitor::Visitor;
use crate::lab::bench::Setting;

/// The hidden subcommand that runs the server.
pub const SUBCOMMAND: &str = "load-server";

const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// How many lines of a server's output are kept until they are asked for.
const MAX_KEPT_LINES: usize = 100;

/// How many of them go into an error message.
const MAX_SHOWN_LINES: usize = 20;

/// Starts servers that share a key.
pub(super) struct Launcher<'l> {
    pub(super) program: &'l Path,
    pub(super) key: String,
}

impl Launcher<'_> {
    /// Starts a server over a store, each of whose operations takes longer by `delay`.
    pub(super) fn start(&self, setting: &Setting, delay: Duration) -> Result<Server, String> {
        Server::start(self, setting, delay).map_err(|problem| format!("{}: {problem}", setting.kind()))
    }
}

/// A running server. It ends with this value.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    said: Receiver<String>,
}

impl Server {
    fn start(launcher: &Launcher<'_>, setting: &Setting, delay: Duration) -> Result<Server, String> {
        let program = launcher.program;
        let mut command = Command::new(program);
        // The app's configuration is not meant for this server.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("ROCKET_")) {
                command.env_remove(name);
            }
        }
        let mut child = command
            .arg(SUBCOMMAND)
            .env(STORE, setting.text())
            .env(KEY, &launcher.key)
            .env(DELAY_MICROS, delay.as_micros().to_string())
            // So that the driver has a core to itself on a machine with two.
            .env("ROCKET_WORKERS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let (sender, said) = sync_channel(MAX_KEPT_LINES);
        pass_on(child.stdout.take(), sender.clone());
        pass_on(child.stderr.take(), sender);
        let begun = Instant::now();
        let mut complaints = Vec::new();
        while let Ok(line) = said.recv_timeout(START_TIMEOUT.saturating_sub(begun.elapsed())) {
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

    /// The processor time that it used so far, in seconds.
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

    /// Adds what the server printed to the problem that a client met.
    pub(super) fn explain(&self, problem: String) -> String {
        let said: Vec<_> = self.said.try_iter().take(MAX_SHOWN_LINES).collect();
        if said.is_empty() { problem } else { format!("{problem}; it said: {}", said.join(" ")) }
    }

    /// Lets it close its store and end.
    pub(super) fn stop(mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < STOP_TIMEOUT && matches!(self.child.try_wait(), Ok(None)) {
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

/// Passes on an output line by line. Keeps reading when the lines are no longer wanted, so that the server
/// is neither held up by a full pipe nor ended by a closed one.
fn pass_on(output: Option<impl Read + Send + 'static>, sender: SyncSender<String>) {
    if let Some(output) = output {
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.try_send(line);
            }
        });
    }
}

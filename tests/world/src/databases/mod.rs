//! Database servers for the tests: real ones, each on a port and in a directory of its own.
//!
//! The system kills a server when the thread that started it ends, so that nothing is left behind, however
//! the test ends. So each test starts its servers itself, on its own thread: a server kept in a static would
//! end with the first test that used it, and one started on a pool's thread when the pool lets that go.

mod account;
mod installed;
mod mariadb;
mod mongodb;
mod node;
mod pgbouncer;
mod port;
mod postgres;
mod redis;
mod redis_cluster;
mod redis_sentinel;
mod redis_tls;
mod sqlite;
mod template;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Instant;

use tempfile::TempDir;

use self::node::Node;
use crate::wait::{POLL_INTERVAL, WAIT_TIMEOUT};

pub(crate) use self::account::server_command;
pub(crate) use self::installed::installed;
pub use self::mariadb::mariadb;
pub use self::mongodb::{mongoeco, nx_27017};
pub use self::pgbouncer::pgbouncer;
pub(crate) use self::port::free_port;
pub use self::postgres::postgres;
pub use self::redis::redis;
pub use self::redis_cluster::{redis_cluster, redis_cluster_of_five};
pub use self::redis_sentinel::{Sentinel, redis_sentinel};
pub use self::redis_tls::{Encrypted, redis_tls};
pub use self::sqlite::sqlite;

/// How often a server is started on other ports after another process took one of its own.
const MAX_ATTEMPTS: usize = 10;

/// The password of the user `sessions`, who owns the database `sessions`.
const PASSWORD: &str = "correct-horse";

/// A running database: one server, several that make up a cluster, or just a file. Its processes and its data
/// end with this value.
pub struct Database {
    url: String,
    nodes: Vec<Node>,
    dir: TempDir,
    /// Removes what a killed server leaves outside its directory.
    clean_up: fn(&Path),
}

impl Database {
    fn new(url: String, nodes: impl Into<Vec<Node>>, dir: TempDir) -> Database {
        Database { url, nodes: nodes.into(), dir, clean_up: |_| () }
    }

    /// The setting `store` of sessions in this database.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Kills it together with its open connections, as a crash would. The data stays.
    pub fn kill(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
    }

    /// Kills what is still running and starts all of it again over the same data, on the same ports.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(failure) = self.start() {
            panic!("{failure}");
        }
    }

    /// Starts all of it again, with these arguments too.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        for node in &mut self.nodes {
            node.command.args(arguments);
        }
        self.restart();
    }

    /// Hangs it: connections stay open, and the system accepts new ones, but nothing answers.
    pub fn pause(&mut self) {
        self.nodes.iter_mut().for_each(Node::pause);
    }

    /// Lets it go on after [`Database::pause`].
    pub fn resume(&mut self) {
        self.nodes.iter_mut().for_each(Node::resume);
    }

    /// The ports of its servers, in the order in which its function names them.
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(|node| node.port).collect()
    }

    /// Hangs the server at this port alone; [`Database::resume`] lets it go on.
    pub fn pause_at(&mut self, port: u16) {
        self.node(port).pause();
    }

    /// Kills the server at this port alone.
    pub fn kill_at(&mut self, port: u16) {
        self.node(port).kill();
    }

    /// Starts the server at this port again over the same data, and does not wait until it is ready.
    pub fn start_at(&mut self, port: u16) {
        self.node(port).spawn();
    }

    fn node(&mut self, port: u16) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.port == port).unwrap()
    }

    /// Starts what `build` describes for an empty directory; again on other ports if one has been taken.
    fn launch(build: impl Fn(TempDir) -> Database) -> Database {
        for _ in 0..MAX_ATTEMPTS {
            let mut database = build(directory());
            match database.start() {
                Ok(()) => return database,
                Err(failure) if failure.to_lowercase().contains("address already in use") => (),
                Err(failure) => panic!("{failure}"),
            }
        }
        panic!("{MAX_ATTEMPTS} times in a row a free port was taken before the server took it");
    }

    /// Starts all nodes and waits until each is ready. An error says what the node that failed has logged.
    fn start(&mut self) -> Result<(), String> {
        self.nodes.iter_mut().for_each(Node::spawn);
        let start = Instant::now();
        for node in &mut self.nodes {
            while !node.is_ready() {
                if node.has_ended() {
                    return Err(node.failure("ended while it started"));
                }
                if start.elapsed() > WAIT_TIMEOUT {
                    return Err(node.failure("is not ready yet"));
                }
                sleep(POLL_INTERVAL);
            }
        }
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.kill();
        (self.clean_up)(self.dir.path());
    }
}

/// A directory that the accounts of the servers can enter.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// What the command prints; it must succeed.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed:\n{said}{complaint}");
    said.into_owned()
}

/// What the command prints, whether it succeeds or not.
fn answer(command: &mut Command) -> String {
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::account::server_command;
use super::installed::installed;
use super::node::Node;
use super::port::free_port;
use super::{Database, answer};

/// A single Redis server.
pub fn redis() -> Option<Database> {
    let redis = Redis::installed("Redis")?;
    Some(Database::launch(|dir| {
        let port = free_port();
        let node = redis.node(&dir, port, "appendonly yes", "ping", |answer| answer.contains("PONG"));
        Database::new(format!("redis://127.0.0.1:{port}"), [node], dir)
    }))
}

/// The programs of Redis.
pub(super) struct Redis {
    server: PathBuf,
    pub(super) cli: PathBuf,
}

impl Redis {
    pub(super) fn installed(store: &'static str) -> Option<Redis> {
        let [server, cli] = installed(store, ["redis-server", "redis-cli"])?;
        Some(Redis { server, cli })
    }

    /// A server with these settings in its file, which is ready when its answer to `question` is the right
    /// one.
    pub(super) fn node(
        &self,
        dir: &TempDir,
        port: u16,
        settings: &str,
        question: &'static str,
        is_ready: fn(&str) -> bool,
    ) -> Node {
        let dir = dir.path().join(port.to_string());
        let (file, socket) = (dir.join("redis.conf"), dir.join("socket"));
        fs::create_dir(&dir).unwrap();
        let own = format!(
            "dir {0}\nport {port}\nbind 127.0.0.1\nunixsocket {0}/socket\nsave \"\"\n",
            dir.display()
        );
        fs::write(&file, own + settings).unwrap();
        let mut command = server_command(&self.server, None);
        command.arg(file);
        let cli = self.cli.clone();
        let ready =
            move || is_ready(&answer(Command::new(&cli).arg("-s").arg(&socket).args(question.split(' '))));
        Node::new(command, port, dir.join("log"), ready)
    }
}

/// The name of a node among the others: 40 hexadecimal digits.
pub(super) fn node_id(port: u16) -> String {
    format!("{port:040x}")
}

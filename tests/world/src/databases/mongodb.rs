use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::Database;
use super::account::server_command;
use super::installed::{installed, python_program};
use super::node::Node;
use super::port::free_port;

/// The message `{ hello: 1, $db: "admin" }` of MongoDB's wire protocol.
const HELLO: &[u8; 52] = b"\
    \x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// Mongoeco, which speaks MongoDB's protocol and keeps its data in memory: a restart empties it.
pub fn mongoeco() -> Option<Database> {
    let [python] = installed("mongoeco", [python_program("python")])?;
    Some(Database::launch(|dir| {
        let port = free_port();
        let mut command = server_command(&python, None);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/databases/mongo_substitute.py"));
        command.arg(port.to_string());
        database(command, port, "ProxyAddress", dir)
    }))
}

/// NX-27017, which speaks MongoDB's protocol and keeps its data in SQLite.
pub fn nx_27017() -> Option<Database> {
    let [nx_27017] = installed("NX-27017", [python_program("nx-27017")])?;
    Some(Database::launch(|dir| {
        let port = free_port();
        let mut command = server_command(&nx_27017, None);
        command.args(["--port", &port.to_string()]);
        for (option, name) in [("--data-dir", "data"), ("--log-file", "own-log"), ("--pid-file", "pid")] {
            command.arg(option).arg(dir.path().join(name));
        }
        database(command, port, "Listening", dir)
    }))
}

fn database(command: Command, port: u16, sign: &'static str, dir: TempDir) -> Database {
    let log = dir.path().join("log");
    let said = log.clone();
    // The sign in its log shows that it was this server that took the port.
    let ready = move || fs::read_to_string(&said).unwrap().contains(sign) && greets(port).is_ok();
    let node = Node::new(command, port, log, ready);
    Database::new(format!("mongodb://127.0.0.1:{port}/sessions"), [node], dir)
}

/// Sends the message that every connection begins with, and waits for an answer.
fn greets(port: u16) -> io::Result<()> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    connection.set_read_timeout(Some(HELLO_TIMEOUT))?;
    connection.write_all(HELLO)?;
    connection.read_exact(&mut [0; 16])
}

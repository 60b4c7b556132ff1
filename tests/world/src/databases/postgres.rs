use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use super::account::server_command;
use super::installed::installed;
use super::node::Node;
use super::port::free_port;
use super::template::{copy_template, version};
use super::{Database, PASSWORD, answer, output};

/// PostgreSQL.
pub fn postgres() -> Option<Database> {
    let [initdb, postgres, isready] = installed("PostgreSQL", ["initdb", "postgres", "pg_isready"])?;
    let access = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"];
    // A small segment of the log is copied quickly.
    let settings = ["--no-locale", "--encoding=UTF8", "--wal-segsize=1", "--no-sync"];
    // In single-user mode each line is a statement.
    let sql = format!(
        "CREATE ROLE sessions LOGIN PASSWORD '{PASSWORD}'\n\
         CREATE DATABASE sessions OWNER sessions\n"
    );
    Some(Database::launch(|dir| {
        let data = dir.path().join("data");
        copy_template("postgres", (version(&postgres), settings, access, &sql), &data, |scratch, data| {
            let (password, script) = (scratch.join("password"), scratch.join("sql"));
            fs::write(&password, PASSWORD).unwrap();
            fs::write(&script, &sql).unwrap();
            let mut install = server_command(&initdb, Some("postgres"));
            install.args(settings).args(access).arg("-D").arg(data);
            output(install.arg("--pwfile").arg(password));
            let mut single = server_command(&postgres, Some("postgres"));
            single.args(["--single", "-c", "exit_on_error=on", "-D"]).arg(data).arg("postgres");
            output(single.stdin(File::open(script).unwrap()));
        });
        let port = free_port();
        let mut command = server_command(&postgres, Some("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"]);
        command.arg("-c").arg(format!("unix_socket_directories={}", data.display()));
        // Only a crash of the machine would lose what is not on the disk yet, and syncing it all makes the
        // start after a crash take seconds.
        command.args(["-c", "fsync=off"]);
        // Shared memory that goes with the data, also when the server is killed.
        command.args(["-c", "dynamic_shared_memory_type=mmap"]);
        let isready = isready.clone();
        // Through the socket in its directory: at the port another server could answer.
        let ready = move || {
            let mut ask = Command::new(&isready);
            answer(ask.arg("-h").arg(&data).args(["-p", &port.to_string()])).contains("accepting connections")
        };
        let node = Node::new(command, port, dir.path().join("log"), ready);
        let url = format!("postgres://sessions:{PASSWORD}@127.0.0.1:{port}/sessions");
        let mut database = Database::new(url, [node], dir);
        database.clean_up = remove_shared_memory;
        database
    }))
}

/// Removes the segment of shared memory that a killed server leaves, of which a system has only so many. The
/// seventh line of this file names its key and its id.
fn remove_shared_memory(dir: &Path) {
    if let Ok(state) = fs::read_to_string(dir.join("data/postmaster.pid"))
        && let Some(id) = state.lines().nth(6).and_then(|line| line.split_whitespace().nth(1))
    {
        let _ = Command::new("ipcrm").args(["-m", id]).stderr(Stdio::null()).status();
    }
}

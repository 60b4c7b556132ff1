use std::fs;
use std::process::Command;

use super::account::server_command;
use super::installed::installed;
use super::node::Node;
use super::port::free_port;
use super::template::{copy_template, version};
use super::{Database, PASSWORD, answer, output};

/// MariaDB, which speaks MySQL's protocol.
pub fn mariadb() -> Option<Database> {
    let programs = ["mariadb-install-db", "mariadbd", "mariadb-admin"];
    let [install_db, mariadbd, admin] = installed("MariaDB", programs)?;
    // A small log is written and copied quickly. No file of the system's is read.
    let settings = ["--no-defaults", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"];
    // The installer knows no privileges before the first line.
    let sql = format!(
        "FLUSH PRIVILEGES;\n\
         CREATE DATABASE sessions;\n\
         CREATE USER sessions@'%' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL ON sessions.* TO sessions@'%';\n"
    );
    Some(Database::launch(|dir| {
        let data = dir.path().join("data");
        copy_template("mysql", (version(&mariadbd), settings, &sql), &data, |scratch, data| {
            let script = scratch.join("sql");
            fs::write(&script, &sql).unwrap();
            let mut install = server_command(&install_db, Some("mysql"));
            install.args(settings).arg("--skip-test-db").arg(format!("--datadir={}", data.display()));
            output(install.arg(format!("--extra-file={}", script.display())));
        });
        let port = free_port();
        let socket = format!("--socket={}", data.join("socket").display());
        let mut command = server_command(&mariadbd, Some("mysql"));
        command.args(settings).arg(format!("--datadir={}", data.display())).arg(&socket);
        // In a directory of all servers each one that starts removes what the others have there.
        command.arg(format!("--tmpdir={}", data.display()));
        command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--character-set-server=utf8mb4"]);
        command.arg(format!("--port={port}"));
        let admin = admin.clone();
        let ready = move || {
            let mut ask = Command::new(&admin);
            // It would answer anyone, but log an unknown user.
            ask.args(["--no-defaults", "--user=sessions", &format!("--password={PASSWORD}")]);
            answer(ask.args([&socket, "ping"])).contains("is alive")
        };
        let node = Node::new(command, port, dir.path().join("log"), ready);
        let url = format!("mysql://sessions:{PASSWORD}@127.0.0.1:{port}/sessions");
        Database::new(url, [node], dir)
    }))
}

use std::fs;

use super::account::server_command;
use super::installed::installed;
use super::node::Node;
use super::port::free_port;
use super::{Database, PASSWORD};

/// PgBouncer in front of a PostgreSQL server, with this `pool_mode`.
pub fn pgbouncer(postgres: &Database, pool_mode: &str) -> Option<Database> {
    let [program] = installed("PgBouncer", ["pgbouncer"])?;
    let server = postgres.nodes[0].port;
    Some(Database::launch(|dir| {
        let port = free_port();
        let (file, users) = (dir.path().join("pgbouncer.ini"), dir.path().join("users"));
        fs::write(&users, format!("\"sessions\" \"{PASSWORD}\"\n")).unwrap();
        let settings = format!(
            "[databases]\n\
             sessions = host=127.0.0.1 port={server}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = scram-sha-256\n\
             auth_file = {}\n\
             pool_mode = {pool_mode}\n\
             ; What the driver sends of it is PostgreSQL's own default.\n\
             ignore_startup_parameters = extra_float_digits\n",
            users.display()
        );
        fs::write(&file, settings).unwrap();
        // It refuses to run as root.
        let mut command = server_command(&program, Some("postgres"));
        command.arg(file);
        let log = dir.path().join("log");
        let said = log.clone();
        let node =
            Node::new(command, port, log, move || fs::read_to_string(&said).unwrap().contains("process up"));
        Database::new(format!("postgres://sessions:{PASSWORD}@127.0.0.1:{port}/sessions"), [node], dir)
    }))
}

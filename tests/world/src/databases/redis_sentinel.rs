use std::array;
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;

use super::port::free_port;
use super::redis::{Redis, node_id};
use super::{Database, output};
use crate::wait::wait_for;

/// Two Redis servers, a master and its replica, under three sentinels.
pub struct Sentinel {
    database: Database,
    cli: PathBuf,
}

impl Sentinel {
    /// The port of the master, once the three sentinels agree on it.
    pub fn master(&self) -> u16 {
        wait_for("the sentinels to agree on a master", || {
            let ports = self.nodes[2..].iter().map(|sentinel| {
                let ask = ["sentinel", "get-master-addr-by-name", "mymaster"];
                let answer =
                    output(Command::new(&self.cli).args(["-p", &sentinel.port.to_string()]).args(ask));
                answer.lines().nth(1).and_then(|port| port.parse().ok())
            });
            let ports: BTreeSet<Option<u16>> = ports.collect();
            ports.first().copied().flatten().filter(|_| ports.len() == 1)
        })
    }

    /// Kills the master and returns its port. Some seconds later [`Sentinel::master`] is another.
    pub fn kill_master(&mut self) -> u16 {
        let master = self.master();
        self.kill_at(master);
        master
    }
}

impl Deref for Sentinel {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl DerefMut for Sentinel {
    fn deref_mut(&mut self) -> &mut Database {
        &mut self.database
    }
}

/// Redis Sentinel: a master, a replica and three sentinels, two of which must agree that the master is down.
/// A restart after a failover takes about ten seconds, because sentinels seldom look for a master that came
/// back.
pub fn redis_sentinel() -> Option<Sentinel> {
    let redis = Redis::installed("Redis Sentinel")?;
    let database = Database::launch(|dir| {
        let [master, replica]: [u16; 2] = array::from_fn(|_| free_port());
        let sentinels: [u16; 3] = array::from_fn(|_| free_port());
        let alone = "appendonly yes\nrepl-diskless-sync-delay 0";
        let replicates = format!("{alone}\nreplicaof 127.0.0.1 {master}");
        // After a restart either may be the replica, which is of no use before it has the master's data.
        let is_in_step =
            |answer: &str| answer.contains("connected_slaves:1") || answer.contains("master_link_status:up");
        let mut nodes = vec![
            redis.node(&dir, master, alone, "info replication", is_in_step),
            redis.node(&dir, replica, &replicates, "info replication", is_in_step),
        ];
        for port in sentinels {
            let settings = sentinel_settings(port, sentinels, master, replica);
            let agrees = |answer: &str| answer.starts_with("OK 3 usable");
            let mut node = redis.node(&dir, port, &settings, "sentinel ckquorum mymaster", agrees);
            node.command.arg("--sentinel");
            nodes.push(node);
        }
        let [first, second, third] = sentinels;
        let others = format!("node=127.0.0.1:{second}&node=127.0.0.1:{third}");
        let url = format!("redis-sentinel://127.0.0.1:{first}?{others}&sentinelServiceName=mymaster");
        Database::new(url, nodes, dir)
    });
    Some(Sentinel { database, cli: redis.cli })
}

/// The settings of the sentinel at `port`.
fn sentinel_settings(port: u16, sentinels: [u16; 3], master: u16, replica: u16) -> String {
    let mut settings = format!(
        "sentinel myid {}\n\
         sentinel monitor mymaster 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds mymaster 1000\n\
         sentinel failover-timeout mymaster 2000\n\
         sentinel known-replica mymaster 127.0.0.1 {replica}\n",
        node_id(port)
    );
    // Known to each other from the start, instead of after some seconds.
    for other in sentinels.into_iter().filter(|other| *other != port) {
        settings += &format!("sentinel known-sentinel mymaster 127.0.0.1 {other} {}\n", node_id(other));
    }
    settings
}

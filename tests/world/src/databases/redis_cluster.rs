use std::array;
use std::fs;

use super::Database;
use super::port::{BUS, free_port};
use super::redis::{Redis, node_id};

/// Hash slots of a Redis cluster.
const SLOTS: usize = 16384;

/// A Redis cluster: three masters without replicas.
pub fn redis_cluster() -> Option<Database> {
    let redis = Redis::installed("Redis Cluster")?;
    Some(Database::launch(|dir| {
        let ports: [u16; 3] = array::from_fn(|_| free_port());
        let settings = "appendonly yes\ncluster-enabled yes\ncluster-node-timeout 2000";
        let nodes = ports.map(|port| {
            let is_whole = |answer: &str| answer.contains("cluster_state:ok");
            let node = redis.node(&dir, port, settings, "cluster info", is_whole);
            fs::write(node.log.with_file_name("nodes.conf"), nodes_conf(port, ports)).unwrap();
            node
        });
        let [first, second, third] = ports;
        let url = format!("redis-cluster://127.0.0.1:{first}?node=127.0.0.1:{second}&node=127.0.0.1:{third}");
        Database::new(url, nodes, dir)
    }))
}

/// The cluster as this node would have written it down itself, so that it is one from the start.
fn nodes_conf(port: u16, ports: [u16; 3]) -> String {
    let mut cluster = String::new();
    for (index, other) in ports.into_iter().enumerate() {
        let flags = if other == port { "myself,master" } else { "master" };
        let slots = (index * SLOTS / 3, (index + 1) * SLOTS / 3 - 1);
        let (id, bus, epoch) = (node_id(other), other + BUS, index + 1);
        cluster += &format!("{id} 127.0.0.1:{other}@{bus} {flags} - 0 0 {epoch} connected ");
        cluster += &format!("{}-{}\n", slots.0, slots.1);
    }
    cluster + "vars currentEpoch 3 lastVoteEpoch 0\n"
}

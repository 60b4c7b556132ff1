use std::array;
use std::fs;

use super::Database;
use super::node::Node;
use super::port::{BUS, free_port};
use super::redis::{Redis, node_id};

/// Hash slots of a Redis cluster.
const SLOTS: usize = 16384;

/// What a node does in its cluster.
#[derive(Clone, Copy)]
enum Role {
    /// Has a third of the slots.
    Master(usize),
    ReplicaOf(u16),
    /// A master without slots.
    Spare,
}

/// A Redis cluster: three masters without replicas.
pub fn redis_cluster() -> Option<Database> {
    cluster("Redis Cluster", |ports: [u16; 3]| masters(&ports))
}

/// A Redis cluster of five: three masters, a replica of the first of them, and a master that has no slots yet.
pub fn redis_cluster_of_five() -> Option<Database> {
    cluster("Redis Cluster of five", |ports: [u16; 5]| {
        let [first, _, _, replica, spare] = ports;
        let mut nodes = masters(&ports[..3]);
        nodes.extend([(replica, Role::ReplicaOf(first)), (spare, Role::Spare)]);
        nodes
    })
}

fn masters(ports: &[u16]) -> Vec<(u16, Role)> {
    ports.iter().enumerate().map(|(index, port)| (*port, Role::Master(index))).collect()
}

fn cluster<const N: usize>(
    store: &'static str,
    roles: impl Fn([u16; N]) -> Vec<(u16, Role)>,
) -> Option<Database> {
    let redis = Redis::installed(store)?;
    Some(Database::launch(|dir| {
        let ports: [u16; N] = array::from_fn(|_| free_port());
        let roles = roles(ports);
        let settings =
            "appendonly yes\ncluster-enabled yes\ncluster-node-timeout 2000\nrepl-diskless-sync-delay 0";
        let nodes = roles.iter().map(|(port, role)| {
            let node = match role {
                Role::ReplicaOf(_) => redis.node(&dir, *port, settings, "info replication", |answer| {
                    answer.contains("master_link_status:up")
                }),
                _ => redis.node(&dir, *port, settings, "cluster info", |answer| {
                    answer.contains("cluster_state:ok")
                }),
            };
            fs::write(node.log.with_file_name("nodes.conf"), nodes_conf(*port, &roles)).unwrap();
            node
        });
        let nodes: Vec<Node> = nodes.collect();
        let [first, second, third, ..] = ports[..] else { unreachable!("a cluster has three masters") };
        let url = format!("redis-cluster://127.0.0.1:{first}?node=127.0.0.1:{second}&node=127.0.0.1:{third}");
        Database::new(url, nodes, dir)
    }))
}

/// The cluster as this node would have written it down itself, so that it is one from the start.
fn nodes_conf(port: u16, roles: &[(u16, Role)]) -> String {
    let mut cluster = String::new();
    for (index, (other, role)) in roles.iter().enumerate() {
        let myself = if *other == port { "myself," } else { "" };
        let (id, bus, epoch) = (node_id(*other), other + BUS, index + 1);
        let (kind, master, epoch, slots) = match role {
            Role::Master(third) => {
                let slots = format!(" {}-{}", third * SLOTS / 3, (third + 1) * SLOTS / 3 - 1);
                ("master", "-".to_owned(), epoch, slots)
            }
            // A replica shows the epoch of its master.
            Role::ReplicaOf(master) => {
                let its = roles.iter().position(|(port, _)| port == master).unwrap();
                ("slave", node_id(*master), its + 1, String::new())
            }
            Role::Spare => ("master", "-".to_owned(), epoch, String::new()),
        };
        cluster +=
            &format!("{id} 127.0.0.1:{other}@{bus} {myself}{kind} {master} 0 0 {epoch} connected{slots}\n");
    }
    cluster + &format!("vars currentEpoch {} lastVoteEpoch 0\n", roles.len())
}

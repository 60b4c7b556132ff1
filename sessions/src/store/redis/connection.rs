//! A connection that any number of commands share.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, Pipeline, RedisResult, Value};

/// To one server, or to all nodes of a Cluster.
#[derive(Clone)]
pub(super) enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self {
            Connection::Node(node) => node.send_packed_command(command).await?,
            Connection::Cluster(cluster) => cluster.req_packed_command(command).await?,
        };
        answered(answer)
    }

    /// Asks one node.
    pub(super) async fn send_at(&mut self, host: &str, port: u16, command: &Cmd) -> RedisResult<Value> {
        let answer = match self {
            Connection::Node(node) => node.send_packed_command(command).await?,
            Connection::Cluster(cluster) => {
                let node = SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port };
                cluster.route_command(command.clone(), RoutingInfo::SingleNode(node)).await?
            }
        };
        answered(answer)
    }

    /// Asks the node that a slot is moving to. It answers only who says that the node which the slot leaves has sent
    /// them.
    pub(super) async fn send_asking(&mut self, host: &str, port: u16, command: &Cmd) -> RedisResult<Value> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("ASKING").add_command(command.clone());
        let answers = match self {
            Connection::Node(node) => node.send_packed_commands(&pipeline, 0, 2).await?,
            Connection::Cluster(cluster) => {
                let node = SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port };
                cluster.route_pipeline(pipeline, 0, 2, node).await?
            }
        };
        answered(answers.into_iter().nth(1).unwrap_or_default())
    }
}

/// An error of the server is an answer to the client, and an error to us.
fn answered(answer: Value) -> RedisResult<Value> {
    match answer {
        Value::ServerError(error) => Err(error.into()),
        answer => Ok(answer),
    }
}

//! The servers that a setting names: one, those of a Cluster, or one behind Sentinels.

use std::io;
use std::time::Duration;

use redis::aio::PubSub;
use redis::cluster::{ClusterClient, ClusterClientBuilder, ClusterConfig};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    ProtocolVersion, PushInfo, PushKind, RedisResult, TlsMode,
};
use rocket::tokio::sync::Mutex;
use rocket::tokio::time::timeout;
use rustls::crypto::{CryptoProvider, ring};

use super::connection::Connection;

pub(crate) const SCHEMES: &[&str] =
    &["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// How long a server may leave a question open.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long one node of a Cluster may take to accept a connection.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);

/// Where to connect to. Nothing connects before [`Servers::connect`].
pub(super) struct Servers {
    kind: Kind,
    /// One of the servers, with what all have in common: login and protocol.
    example: ConnectionInfo,
}

enum Kind {
    One(Client),
    /// With its nodes one by one.
    Cluster(ClusterClient, Vec<ConnectionInfo>),
    /// To be asked for the master.
    Sentinels(Mutex<SentinelClient>),
}

impl Servers {
    /// Reads a setting; `None` if it names no servers of Redis. The client's own words for what is wrong may show a
    /// password.
    pub(super) fn parse(setting: &str) -> Option<Servers> {
        let (scheme, rest) = setting.split_once(':')?;
        let (scheme, kind) = scheme.split_once('-').unwrap_or((scheme, ""));
        let url = redis::parse_redis_url(&format!("{scheme}:{rest}"))?;
        let query = |name: &'static str| {
            url.query_pairs().filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        // Only with RESP3 is a connection that ended noticed before the next command.
        let protocol = query("protocol").next().is_none().then_some(ProtocolVersion::RESP3);
        let example = connection_info(url.clone(), protocol)?;
        let mut nodes = vec![example.clone()];
        for node in query("node") {
            let (host, port) = node.rsplit_once(':')?;
            let mut other = url.clone();
            other.set_host(Some(host)).ok()?;
            other.set_port(Some(port.parse().ok()?)).ok()?;
            nodes.push(connection_info(other, protocol)?);
        }
        let kind = match kind {
            "" => Kind::One(Client::open(example.clone()).ok()?),
            "cluster" => {
                let client = cluster(nodes.clone(), example.redis_settings().protocol()).ok()?;
                Kind::Cluster(client, nodes)
            }
            "sentinel" => {
                let service = query("sentinelServiceName").next()?;
                Kind::Sentinels(Mutex::new(sentinels(nodes, &service, &example).ok()?))
            }
            _ => return None,
        };
        Some(Servers { kind, example })
    }

    /// Whether they are the nodes of a Cluster.
    pub(super) fn are_cluster(&self) -> bool {
        matches!(self.kind, Kind::Cluster(..))
    }

    /// Connects, and calls `lost` when the connection ends.
    pub(super) async fn connect(&self, lost: impl Fn() + Send + Sync + 'static) -> RedisResult<Connection> {
        self.prepare_encryption();
        let mut config = config();
        if self.example.redis_settings().protocol() == ProtocolVersion::RESP3 {
            config = config.set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    lost();
                }
                Ok::<_, redis::aio::SendError>(())
            });
        }
        let master;
        let client = match &self.kind {
            Kind::One(client) => client,
            Kind::Sentinels(sentinels) => {
                // Asked each time, so that a failover is followed.
                master = sentinels.lock().await.async_get_client().await?;
                &master
            }
            Kind::Cluster(client, _) => {
                // It replaces the connections to its nodes by itself.
                let config = ClusterConfig::new()
                    .set_connection_timeout(NODE_TIMEOUT)
                    .set_response_timeout(ANSWER_TIMEOUT);
                return Ok(Connection::Cluster(client.get_async_connection_with_config(config).await?));
            }
        };
        Ok(Connection::Node(client.get_multiplexed_async_connection_with_config(&config).await?))
    }

    /// A connection that messages come on: to the master behind Sentinels, to any node of a Cluster.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        self.prepare_encryption();
        match &self.kind {
            Kind::One(client) => client.get_async_pubsub().await,
            Kind::Sentinels(sentinels) => {
                sentinels.lock().await.async_get_client().await?.get_async_pubsub().await
            }
            Kind::Cluster(_, nodes) => {
                let mut found = Err((ErrorKind::ClusterConnectionNotFound, "no node answers").into());
                for node in nodes {
                    found = listener_of(node).await;
                    if found.is_ok() {
                        break;
                    }
                }
                found
            }
        }
    }

    /// The client takes the default provider of cryptography, and panics without one in an app that has two built in.
    /// An app that has set its own keeps it.
    fn prepare_encryption(&self) {
        if is_encrypted(&self.example) && CryptoProvider::get_default().is_none() {
            let _ = ring::default_provider().install_default();
        }
    }

    /// Connects to a node of the Cluster that has no slots yet.
    pub(super) async fn connect_to(&self, host: &str, port: u16) -> RedisResult<Connection> {
        let host = host.to_owned();
        let address = match self.example.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        let client = Client::open(self.example.clone().set_addr(address))?;
        Ok(Connection::Node(client.get_multiplexed_async_connection_with_config(&config()).await?))
    }
}

/// A connection to one of several nodes, of which another may answer sooner.
async fn listener_of(node: &ConnectionInfo) -> RedisResult<PubSub> {
    let client = Client::open(node.clone())?;
    let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
    timeout(NODE_TIMEOUT, client.get_async_pubsub()).await.unwrap_or_else(late)
}

fn config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT))
}

fn connection_info(
    url: impl IntoConnectionInfo,
    protocol: Option<ProtocolVersion>,
) -> Option<ConnectionInfo> {
    let info = url.into_connection_info().ok()?;
    let mut settings = info.redis_settings().clone();
    if let Some(protocol) = protocol {
        settings = settings.set_protocol(protocol);
    }
    Some(info.set_redis_settings(settings).set_tcp_settings(tcp_settings()))
}

/// Commands are small, and nobody wants to wait until they fill a packet.
fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn is_encrypted(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

/// Without retries of its own: the client would also send again what may have been done.
fn cluster(nodes: Vec<ConnectionInfo>, protocol: ProtocolVersion) -> RedisResult<ClusterClient> {
    ClusterClientBuilder::new(nodes)
        .retries(0)
        .connection_timeout(NODE_TIMEOUT)
        .response_timeout(ANSWER_TIMEOUT)
        .overall_response_timeout(Some(ANSWER_TIMEOUT))
        .use_protocol(protocol)
        .tcp_settings(tcp_settings())
        .build()
}

/// The login is that of the sentinels and of the servers behind them, and only these have numbered databases.
fn sentinels(
    nodes: Vec<ConnectionInfo>,
    service: &str,
    server: &ConnectionInfo,
) -> RedisResult<SentinelClient> {
    let mut servers = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(server.redis_settings().clone())
        .set_tcp_settings(tcp_settings());
    if is_encrypted(server) {
        servers = servers.set_tls_mode(TlsMode::Secure);
    }
    let nodes = nodes.into_iter().map(|node| {
        let login = node.redis_settings().clone().set_db(0);
        node.set_redis_settings(login)
    });
    SentinelClient::build(nodes.collect(), service, Some(servers), SentinelServerType::Master)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_is_read() {
        for setting in [
            "redis://127.0.0.1:6379",
            "redis://ada:secret@[::1]:6379/3",
            "rediss://:secret@example.org",
            "redis://127.0.0.1:6379?protocol=resp2",
            "redis-cluster://ada:secret@10.0.0.1:30001?node=10.0.0.2:30001&node=[::1]:30002",
            "rediss-cluster://10.0.0.1:30001",
            "redis-sentinel://10.0.0.1:26379/3?node=10.0.0.2:26379&sentinelServiceName=mymaster",
            "rediss-sentinel://10.0.0.1:26379?sentinelServiceName=mymaster",
        ] {
            assert!(Servers::parse(setting).is_some(), "{setting}");
        }
    }

    #[test]
    fn what_names_no_servers_is_refused() {
        for setting in [
            "redis://",
            "redis://u:hunter2@:nonsense",
            "redis-cluster://10.0.0.1:30001?node=10.0.0.2",
            "redis-cluster://10.0.0.1:30001?node=10.0.0.2:many",
            "redis-sentinel://10.0.0.1:26379",
            "redis-nothing://10.0.0.1:26379",
        ] {
            assert!(Servers::parse(setting).is_none(), "{setting}");
        }
    }
}

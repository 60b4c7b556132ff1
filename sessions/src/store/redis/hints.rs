//! Hints by Redis's PUBLISH and SUBSCRIBE.

use redis::Msg;
use redis::aio::PubSub;
use rocket::futures::StreamExt as _;
use rocket::futures::stream::{BoxStream, unfold};

use super::command;
use super::fault::of_connecting;
use super::ledger::RedisLog;
use crate::error::StoreError;
use crate::ledger::Hints;

#[rocket::async_trait]
impl Hints for RedisLog {
    /// Nodes of a Cluster pass it on to each other.
    async fn send(&self, position: u64) -> Result<(), StoreError> {
        let mut publish = command("PUBLISH", &self.key);
        publish.arg(position);
        self.link.ask_once(&publish).await.map(drop)
    }

    /// On a connection of its own.
    async fn listen(&self) -> Result<BoxStream<'static, u64>, StoreError> {
        let connect = async || {
            let mut connection = self.link.servers().listener().await?;
            connection.subscribe(&self.key).await?;
            Ok(connection)
        };
        let connection = connect().await.map_err(|error| of_connecting(&error))?;
        let positions =
            unfold(connection, next).filter_map(|message| async move { message.get_payload::<u64>().ok() });
        Ok(positions.boxed())
    }
}

/// The next message. Both halves of the connection are kept, or it would end.
async fn next(mut connection: PubSub) -> Option<(Msg, PubSub)> {
    let message = connection.on_message().next().await?;
    Some((message, connection))
}

//! Hints by PostgreSQL's LISTEN and NOTIFY.

use std::sync::Arc;

use rocket::futures::StreamExt as _;
use rocket::futures::stream::{BoxStream, unfold};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Error, SqlStr};

use super::client::Client;
use super::dialect::Dialect;
use super::driver::Value;
use crate::error::StoreError;
use crate::ledger::Hints;

/// All ledgers of a database share it, since a namespace is longer than a channel's name may be.
const CHANNEL: &str = "sealed_session_ledger";

/// Hints of one ledger. Each says its position and its namespace.
pub(super) struct Notify {
    client: Arc<Client>,
    options: PgConnectOptions,
    namespace: String,
    send: SqlStr,
}

impl Notify {
    pub(super) fn new(
        client: &Arc<Client>,
        options: PgConnectOptions,
        dialect: &Dialect,
        namespace: &str,
    ) -> Notify {
        Notify {
            client: Arc::clone(client),
            options,
            namespace: namespace.to_owned(),
            send: dialect.statement(&format!("SELECT pg_notify('{CHANNEL}', convert_from($1, 'UTF8'))")),
        }
    }

    async fn listener(&self) -> Result<PgListener, Error> {
        // The listener takes its connection from a pool.
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.ignore_pool_close_event(true);
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }
}

#[rocket::async_trait]
impl Hints for Notify {
    /// A statement of its own, and so a transaction of its own: one that notifies holds up all others that do until it
    /// is committed.
    async fn send(&self, position: u64) -> Result<(), StoreError> {
        let payload = format!("{position} {}", self.namespace);
        self.client.execute(&self.send, &[Value::Bytes(payload.as_bytes())]).await.map(drop)
    }

    async fn listen(&self) -> Result<BoxStream<'static, u64>, StoreError> {
        let listener = self.listener().await.map_err(|error| self.client.failed(error))?;
        let notifications = unfold(listener, |mut listener| async {
            let notification = listener.try_recv().await.ok()??;
            Some((notification, listener))
        });
        let namespace = self.namespace.clone();
        let positions = notifications.filter_map(move |notification| {
            let said = notification.payload().split_once(' ').filter(|(_, whose)| *whose == namespace);
            let position = said.and_then(|(position, _)| position.parse().ok());
            async move { position }
        });
        Ok(positions.boxed())
    }
}

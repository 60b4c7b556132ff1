//! Leases in a table.

use std::sync::Arc;

use sqlx::SqlStr;

use super::client::Client;
use super::dialect::Dialect;
use super::driver::Value;
use crate::error::StoreError;
use crate::store::server::backend::{LEASE_SECONDS, Leases};

/// The table `sealed_session_leases`. Its times are the database's own, so that the clocks of the
/// processes need not agree.
pub(super) struct SqlLeases {
    client: Arc<Client>,
    extend: SqlStr,
    insert: SqlStr,
    release: SqlStr,
    sweep: SqlStr,
}

impl SqlLeases {
    pub(super) fn new(client: &Arc<Client>, dialect: &Dialect) -> SqlLeases {
        let now = dialect.now;
        let expires = format!("{now} + {}", LEASE_SECONDS * 1000);
        SqlLeases {
            client: Arc::clone(client),
            extend: dialect.statement(&format!(
                "UPDATE sealed_session_leases SET holder = $1, expires = {expires}
                 WHERE name = $2 AND (expires <= {now} OR holder = $3)"
            )),
            insert: dialect.statement(&format!(
                "INSERT INTO sealed_session_leases (holder, name, expires) VALUES ($1, $2, {expires})"
            )),
            release: dialect.statement("DELETE FROM sealed_session_leases WHERE holder = $1 AND name = $2"),
            sweep: dialect.statement(&format!("DELETE FROM sealed_session_leases WHERE expires <= {now}")),
        }
    }

    /// Removes the leases of processes that have died.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        self.client.execute(&self.sweep, &[]).await.map(drop)
    }
}

#[rocket::async_trait]
impl Leases for SqlLeases {
    /// Makes the lease, or takes over one whose time is over.
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        let [name, holder] = [Value::Bytes(name), Value::Bytes(holder)];
        Ok(self.client.inserts(&self.insert, &[holder, name]).await?
            || self.client.changes(&self.extend, &[holder, name, holder]).await?)
    }

    /// Tries once more where the connection was lost: nobody else would.
    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        let values = [Value::Bytes(holder), Value::Bytes(name)];
        self.client.execute(&self.release, &values).await.map(drop)
    }
}

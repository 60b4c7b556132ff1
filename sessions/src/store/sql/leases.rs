//! Leases in a table.

use sqlx::{AnyPool, SqlStr};

use super::dialect::{Dialect, Statement};
use super::query::{changes, execute, inserts, query};
use crate::error::StoreError;
use crate::store::server::backend::{LEASE_SECONDS, Leases};

/// The table `sealed_session_leases`. Its times are the database's own, so that the clocks of the
/// processes need not agree.
pub(super) struct SqlLeases {
    pool: AnyPool,
    extend: SqlStr,
    insert: SqlStr,
    release: SqlStr,
}

impl SqlLeases {
    pub(super) fn new(pool: AnyPool, dialect: &Dialect, now: &str) -> SqlLeases {
        let expires = format!("{now} + {}", LEASE_SECONDS * 1000);
        SqlLeases {
            pool,
            extend: dialect.statement(&format!(
                "UPDATE sealed_session_leases SET holder = $1, expires = {expires}
                 WHERE name = $2 AND (expires <= {now} OR holder = $3)"
            )),
            insert: dialect.statement(&format!(
                "INSERT INTO sealed_session_leases (holder, name, expires) VALUES ($1, $2, {expires})"
            )),
            release: dialect.statement("DELETE FROM sealed_session_leases WHERE holder = $1 AND name = $2"),
        }
    }
}

#[rocket::async_trait]
impl Leases for SqlLeases {
    /// Makes the lease, or takes over one whose time is over.
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        let extend = bound(&self.extend, name, holder).bind(holder.to_vec());
        Ok(inserts(bound(&self.insert, name, holder), &self.pool).await?
            || changes(extend, &self.pool).await?)
    }

    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        execute(bound(&self.release, name, holder), &self.pool).await.map(drop)
    }
}

fn bound(statement: &SqlStr, name: &[u8], holder: &[u8; 16]) -> Statement {
    query(statement).bind(holder.to_vec()).bind(name.to_vec())
}

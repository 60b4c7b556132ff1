//! Leases in a table: locks that hold between processes, and that end by themselves when a process does.

use rocket::tokio::runtime::Handle;
use rocket::tokio::time::sleep;
use sqlx::{AnyPool, SqlStr};

use super::lock::{LEASE, LocalLock, PAUSE};
use super::sql::{execute, failed, query};
use super::sql_dialect::Dialect;
use crate::session::error::StoreError;

/// The table `sealed_session_leases`. Its times are the database's own, so that the clocks of the
/// processes need not agree.
pub(super) struct Leases {
    pool: AnyPool,
    extend: SqlStr,
    insert: SqlStr,
    release: SqlStr,
}

impl Leases {
    /// The name of the sweepers' lease; those of sessions are hashes, and longer.
    pub(super) const SWEEP: &[u8] = b"sweep";

    pub(super) fn new(pool: AnyPool, dialect: &Dialect, now: &str) -> Leases {
        let until = format!("{now} + {}", LEASE.as_millis());
        Leases {
            pool,
            extend: dialect.statement(&format!(
                "UPDATE sealed_session_leases SET holder = $1, expires = {until}
                 WHERE name = $2 AND expires <= {now}"
            )),
            insert: dialect.statement(&format!(
                "INSERT INTO sealed_session_leases (holder, name, expires) VALUES ($1, $2, {until})"
            )),
            release: dialect.statement("DELETE FROM sealed_session_leases WHERE holder = $1 AND name = $2"),
        }
    }

    /// Waits for the lease. `turn` is the caller's among those of this process, and is kept with it.
    pub(super) async fn take(&self, name: [u8; 32], turn: LocalLock) -> Result<Lease, StoreError> {
        loop {
            if let Some(lease) = self.try_take(&name).await? {
                return Ok(lease.with(turn));
            }
            sleep(PAUSE).await;
        }
    }

    /// The lease, unless another one has it.
    pub(super) async fn try_take(&self, name: &[u8]) -> Result<Option<Lease>, StoreError> {
        let mut holder = vec![0; 16];
        getrandom::fill(&mut holder).map_err(|error| StoreError::Failed(error.to_string()))?;
        // Made first: when this is dropped half way, what may have been taken is given back.
        let mut lease = Lease {
            pool: self.pool.clone(),
            release: self.release.clone(),
            holder: holder.clone(),
            name: name.to_vec(),
            turn: None,
        };
        let bind =
            |statement: &SqlStr| sqlx::query(statement.clone()).bind(holder.clone()).bind(name.to_vec());
        match execute(bind(&self.insert), &self.pool).await {
            Ok(_) => return Ok(Some(lease)),
            Err(error) if error.as_database_error().is_some_and(|error| error.is_unique_violation()) => {}
            Err(error) => return Err(failed(error)),
        }
        let extended = execute(bind(&self.extend), &self.pool).await.map_err(failed)?.rows_affected() == 1;
        if !extended {
            lease.name.clear();
            return Ok(None);
        }
        Ok(Some(lease))
    }
}

/// A lease that is given back when it is dropped.
pub(super) struct Lease {
    pool: AnyPool,
    release: SqlStr,
    holder: Vec<u8>,
    /// Empty when it was not got.
    name: Vec<u8>,
    turn: Option<LocalLock>,
}

impl Lease {
    fn with(mut self, turn: LocalLock) -> Lease {
        self.turn = Some(turn);
        self
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.name.is_empty() {
            return;
        }
        let (holder, name) = (std::mem::take(&mut self.holder), std::mem::take(&mut self.name));
        let release = query(&self.release).bind(holder).bind(name);
        let (pool, turn) = (self.pool.clone(), self.turn.take());
        runtime.spawn(async move {
            // Not given back, it ends by itself.
            if let Err(error) = release.execute(&pool).await {
                log::warn!("a lease could not be given back and lasts {} seconds: {error}", LEASE.as_secs());
            }
            // The next of this process asks only now.
            drop(turn);
        });
    }
}

//! Leases in a table.

use sqlx::{AnyPool, SqlStr};

use super::dialect::{Dialect, Statement};
use super::query::{execute, failed, is_taken, query};
use crate::error::StoreError;
use crate::store::server::lease::{LEASE, Lease};
use crate::store::server::lock::LocalLock;

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
        let expires = format!("{now} + {}", LEASE.as_millis());
        Leases {
            pool,
            extend: dialect.statement(&format!(
                "UPDATE sealed_session_leases SET holder = $1, expires = {expires}
                 WHERE name = $2 AND expires <= {now}"
            )),
            insert: dialect.statement(&format!(
                "INSERT INTO sealed_session_leases (holder, name, expires) VALUES ($1, $2, {expires})"
            )),
            release: dialect.statement("DELETE FROM sealed_session_leases WHERE holder = $1 AND name = $2"),
        }
    }

    /// Waits for the lease. `turn` is the caller's among those of this process, and is kept with it.
    pub(super) async fn take(&self, name: [u8; 32], turn: LocalLock) -> Result<Lease, StoreError> {
        let claim = Claim::new(&name)?;
        let lease = self.lease(&claim, Some(turn));
        lease.once_granted(|| self.grant(&claim)).await.map_err(failed)
    }

    /// The lease, unless another one has it.
    pub(super) async fn try_take(&self, name: &[u8]) -> Result<Option<Lease>, StoreError> {
        let claim = Claim::new(name)?;
        let lease = self.lease(&claim, None);
        Ok(lease.ask(self.grant(&claim)).await.map_err(failed)?.then_some(lease))
    }

    fn lease(&self, claim: &Claim, turn: Option<LocalLock>) -> Lease {
        let (pool, release) = (self.pool.clone(), claim.bind(&self.release));
        Lease::new(turn, || async move {
            execute(release, &pool).await.map_err(failed)?;
            Ok(())
        })
    }

    /// Makes the lease, or takes over one whose time is over.
    fn grant(&self, claim: &Claim) -> impl Future<Output = Result<bool, sqlx::Error>> + Send + use<> {
        let (insert, extend) = (claim.bind(&self.insert), claim.bind(&self.extend));
        let pool = self.pool.clone();
        async move {
            match insert.execute(&pool).await {
                Ok(_) => Ok(true),
                Err(error) if is_taken(&error) => Ok(extend.execute(&pool).await?.rows_affected() == 1),
                Err(error) => Err(error),
            }
        }
    }
}

/// Who asks for which lease.
struct Claim {
    holder: Vec<u8>,
    name: Vec<u8>,
}

impl Claim {
    fn new(name: &[u8]) -> Result<Claim, StoreError> {
        let mut holder = vec![0; 16];
        getrandom::fill(&mut holder).map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Claim { holder, name: name.to_vec() })
    }

    fn bind(&self, statement: &SqlStr) -> Statement {
        query(statement).bind(self.holder.clone()).bind(self.name.clone())
    }
}

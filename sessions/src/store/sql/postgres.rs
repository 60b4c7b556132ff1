//! Sessions in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::time::timeout;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgQueryResult};
use sqlx::{ConnectOptions as _, Connection as _, Error, Executor as _, PgConnection, Postgres};

use super::connections::Connections;
use super::database::Database;
use super::dialect::{Dialect, PROBE};
use super::driver::Native;
use super::faults::Fault;
use super::ledger::{LedgerDialect, SqlLog};
use super::notify::Notify;
use super::{MAX_CONNECTIONS, Sql, options};
use crate::error::StoreError;
use crate::ledger::Log;
use crate::store::{ServerStore, Store};

pub(super) static POSTGRES: Dialect = Dialect {
    // The server's default may be a level at which statements that meet fail.
    on_connect: &["SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    check: Some(|url| Box::pin(check(url))),
    probe: PROBE,
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_rows (
            id_hash bytea NOT NULL PRIMARY KEY, version bigint NOT NULL, seen bigint NOT NULL,
            expires bigint NOT NULL, subject_hash bytea, body bytea NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_expires ON sealed_session_rows (expires)",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_subject ON sealed_session_rows (subject_hash)
         WHERE subject_hash IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS sealed_session_leases (
            name bytea NOT NULL PRIMARY KEY, holder bytea NOT NULL, expires bigint NOT NULL
        )",
    ],
    greatest: "GREATEST",
    sweep: "DELETE FROM sealed_session_rows WHERE id_hash IN (
                SELECT id_hash FROM sealed_session_rows
                WHERE expires <= LEAST($1, extract(epoch FROM now())::bigint) LIMIT 1000 FOR UPDATE SKIP LOCKED
            )",
    trim: "DELETE FROM sealed_session_rows WHERE id_hash IN (
               SELECT id_hash FROM sealed_session_rows WHERE subject_hash = $1
               ORDER BY seen DESC LIMIT 1000 OFFSET $2
           ) AND subject_hash = $3",
    question_marks: false,
    now: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    fault,
};

/// The most that a value may have.
const MAX_BYTES: u64 = (1 << 30) - 1;

/// How often the server of a connection is looked at.
const LOOKS: usize = 3;

/// How long a statement may wait for a server that another connection has.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says which server's process answers, and whether it knows the prepared statements by the driver's own names: a
/// pool that keeps them for its clients renames them.
const SERVER: &str =
    "SELECT pg_backend_pid(), EXISTS (SELECT FROM pg_prepared_statements WHERE name LIKE 'sqlx%')";

/// Refuses a pool that gives each transaction another server (PgBouncer's `pool_mode = transaction`) and does not take
/// the prepared statements along.
async fn check(url: &str) -> Result<u64, StoreError> {
    let options: PgConnectOptions = options(url).map_err(StoreError::Failed)?;
    let failed = |error: Error| StoreError::Failed(error.to_string());
    let mut one = options.connect().await.map_err(failed)?;
    let mut other = options.connect().await.map_err(failed)?;
    let is_kept = keeps_statements(&mut one, &mut other).await;
    let _ = (one.close().await, other.close().await);
    match is_kept {
        Ok(true) => Ok(MAX_BYTES),
        Err(Error::Database(error)) if !["26000", "42P05"].contains(&&*error.code().unwrap_or_default()) => {
            Err(failed(Error::Database(error)))
        }
        Err(Error::Io(error)) => Err(failed(Error::Io(error))),
        _ => Err(StoreError::Refused(
            "its address leads to a pool that changes the server with each transaction and does not keep prepared              statements: give PgBouncer (1.21 or newer) a max_prepared_statements, or pool_mode = session, or name              PostgreSQL's own address"
                .into(),
        )),
    }
}

/// Whether what one connection prepares is still there when another one is in a transaction.
async fn keeps_statements(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, Error> {
    let (first, is_named): (i32, bool) = sqlx::query_as(SERVER).fetch_one(&mut *one).await?;
    if !is_named {
        return Ok(true);
    }
    for _ in 0..LOOKS {
        other.execute("BEGIN").await?;
        let again = timeout(PATIENCE, sqlx::query_as::<_, (i32, bool)>(SERVER).fetch_one(&mut *one)).await;
        other.execute("ROLLBACK").await?;
        // Who waits in vain waits for the only server that there is.
        let Ok(again) = again else { return Ok(false) };
        if again?.0 != first {
            return Ok(false);
        }
    }
    Ok(true)
}

/// By its SQLSTATE.
fn fault(error: &dyn DatabaseError) -> Fault {
    match error.code().as_deref().unwrap_or_default() {
        // A serialization failure, a deadlock.
        "40001" | "40P01" => Fault::Conflict,
        // A shutdown, a crash, a connection that was idle for too long; and a server that has become a replica: the
        // next connection may lead to the new primary.
        "57P01" | "57P02" | "57P05" | "25006" => Fault::Lost,
        // Connection exceptions.
        code if code.starts_with("08") => Fault::Lost,
        // Program limits exceeded.
        code if code.starts_with("54") => Fault::Refused,
        _ => Fault::Passing,
    }
}

/// The table of a ledger.
static LEDGER: Dialect = Dialect {
    probe: "SELECT position FROM sealed_session_ledger LIMIT 0",
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_ledger (
            namespace bytea NOT NULL, position bigint NOT NULL, until bigint NOT NULL, body bytea NOT NULL,
            PRIMARY KEY (namespace, position)
        )",
        "CREATE INDEX IF NOT EXISTS sealed_session_ledger_until ON sealed_session_ledger (namespace, until)",
    ],
    ..POSTGRES
};

static OWN: LedgerDialect = LedgerDialect {
    or_nothing: "ON CONFLICT DO NOTHING",
    returns_rows: true,
    forget: "DELETE FROM sealed_session_ledger WHERE namespace = $1 AND position IN (
                 SELECT position FROM sealed_session_ledger
                 WHERE namespace = $1 AND until <= LEAST($2, extract(epoch FROM now())::bigint) AND position > 0
                     AND position < (SELECT max(position) FROM sealed_session_ledger WHERE namespace = $3)
                 LIMIT 1000
             )",
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Sql::new(database(setting, &POSTGRES)?), realm)))
}

pub(crate) fn open_log(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    let database = database(setting, &LEDGER)?;
    let hints = Notify::new(&database.client, options(setting)?, &LEDGER, namespace);
    Ok(Arc::new(SqlLog::new(database, namespace, &OWN).with_hints(hints)))
}

fn database(setting: &str, dialect: &'static Dialect) -> Result<Database, String> {
    let all = Connections::<Postgres>::new(options(setting)?, dialect, MAX_CONNECTIONS);
    let driver = Native { reads: all.clone(), writes: all, rows_affected: PgQueryResult::rows_affected };
    Ok(Database::new(setting, dialect, driver, None))
}

//! Sessions in MySQL or MariaDB.

use std::sync::Arc;

use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult};
use sqlx::{ConnectOptions as _, Connection as _, Error, MySql};

use super::connections::Connections;
use super::database::Database;
use super::dialect::{Dialect, PROBE};
use super::driver::Native;
use super::faults::Fault;
use super::ledger::{LedgerDialect, SqlLog};
use super::{MAX_CONNECTIONS, Sql, options};
use crate::error::StoreError;
use crate::ledger::Log;
use crate::store::{ServerStore, Store};

static MYSQL: Dialect = Dialect {
    // Locks rows that are there and no gaps between them: fewer statements wait for each other. Where the server's
    // default is another one, nothing would be kept without a COMMIT.
    on_connect: &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET autocommit = 1"],
    check: Some(|url| Box::pin(check(url))),
    probe: PROBE,
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_rows (
            id_hash varbinary(32) NOT NULL PRIMARY KEY, version bigint NOT NULL, seen bigint NOT NULL,
            expires bigint NOT NULL, subject_hash varbinary(32), body longblob NOT NULL,
            INDEX sealed_session_rows_expires (expires), INDEX sealed_session_rows_subject (subject_hash)
        ) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS sealed_session_leases (
            name varbinary(32) NOT NULL PRIMARY KEY, holder varbinary(16) NOT NULL, expires bigint NOT NULL
        ) ENGINE = InnoDB",
    ],
    greatest: "GREATEST",
    sweep: "DELETE FROM sealed_session_rows WHERE expires <= LEAST($1, unix_timestamp()) LIMIT 1000",
    // A table that is deleted from can be read only by way of another.
    trim: "DELETE FROM sealed_session_rows WHERE id_hash IN (
               SELECT id_hash FROM (
                   SELECT id_hash FROM sealed_session_rows WHERE subject_hash = $1
                   ORDER BY seen DESC LIMIT 1000 OFFSET $2
               ) AS oldest
           ) AND subject_hash = $3",
    question_marks: true,
    now: "CAST(unix_timestamp(now(3)) * 1000 AS signed)",
    fault,
};

/// What a packet has besides the row.
const OVERHEAD: u64 = 256;

async fn check(url: &str) -> Result<u64, StoreError> {
    let options: MySqlConnectOptions = options(url).map_err(StoreError::Failed)?;
    let packet = async {
        let mut connection = options.connect().await?;
        let packet: u64 =
            sqlx::query_scalar("SELECT @@max_allowed_packet").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(packet.saturating_sub(OVERHEAD))
    };
    packet.await.map_err(|error: Error| StoreError::Failed(error.to_string()))
}

/// By the server's number for it.
fn fault(error: &dyn DatabaseError) -> Fault {
    match error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number) {
        // A wait for a lock that took too long, a deadlock, a row that somebody else has changed.
        Some(1020 | 1205 | 1213) => Fault::Conflict,
        // More than `max_allowed_packet`, a column's value that is too long.
        Some(1153 | 1301 | 1406) => Fault::Refused,
        // A shutdown, a connection that broke, was killed or was idle for too long; and a server that has become a
        // replica: the next connection may lead to the new master.
        Some(1053 | 1079 | 1080 | 1158..=1161 | 1184 | 1290 | 1836 | 1927 | 4031) => Fault::Lost,
        _ => Fault::Passing,
    }
}

/// The table of a ledger.
static LEDGER: Dialect = Dialect {
    probe: "SELECT position FROM sealed_session_ledger LIMIT 0",
    schema: &["CREATE TABLE IF NOT EXISTS sealed_session_ledger (
            namespace varbinary(64) NOT NULL, position bigint NOT NULL, until bigint NOT NULL, body blob NOT NULL,
            PRIMARY KEY (namespace, position), INDEX sealed_session_ledger_until (namespace, until)
        ) ENGINE = InnoDB"],
    ..MYSQL
};

static OWN: LedgerDialect = LedgerDialect {
    // IGNORE would also keep a value that is too long, cut.
    or_nothing: "",
    // MariaDB alone could.
    returns_rows: false,
    forget: "DELETE FROM sealed_session_ledger
             WHERE namespace = $1 AND until <= LEAST($2, unix_timestamp()) AND position > 0 AND position < (
                 SELECT position FROM (
                     SELECT max(position) AS position FROM sealed_session_ledger WHERE namespace = $3
                 ) AS last
             ) LIMIT 1000",
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Sql::new(database(setting, &MYSQL)?), realm)))
}

pub(crate) fn open_log(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    Ok(Arc::new(SqlLog::new(database(setting, &LEDGER)?, namespace, &OWN)))
}

fn database(setting: &str, dialect: &'static Dialect) -> Result<Database, String> {
    let all = Connections::<MySql>::new(options(setting)?, dialect, MAX_CONNECTIONS);
    let driver = Native { reads: all.clone(), writes: all, rows_affected: MySqlQueryResult::rows_affected };
    Ok(Database::new(setting, dialect, driver, None))
}

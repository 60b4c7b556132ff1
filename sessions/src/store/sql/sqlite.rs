//! Sessions in an SQLite file: they survive a restart, and the processes of one machine share them.

use std::path::PathBuf;
use std::sync::Arc;

use rocket::http::RawStr;
use sqlx::Sqlite;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteQueryResult};

use super::connections::Connections;
use super::database::Database;
use super::dialect::{Dialect, PROBE};
use super::driver::Native;
use super::faults::Fault;
use super::ledger::{LedgerDialect, SqlLog};
use super::{MAX_CONNECTIONS, Sql, options};
use crate::ledger::Log;
use crate::store::{ServerStore, Store};

/// WAL lets others read while one writes. `synchronous = NORMAL` keeps the file whole whatever happens; when
/// the machine itself loses power, the last moments before it may be lost.
pub(super) static SQLITE: Dialect = Dialect {
    on_connect: &["PRAGMA busy_timeout = 2000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"],
    check: None,
    probe: PROBE,
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_rows (
            id_hash BLOB NOT NULL PRIMARY KEY, version INTEGER NOT NULL, seen INTEGER NOT NULL,
            expires INTEGER NOT NULL, subject_hash BLOB, body BLOB NOT NULL
        ) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_expires ON sealed_session_rows (expires)",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_subject ON sealed_session_rows (subject_hash)
         WHERE subject_hash IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS sealed_session_leases (
            name BLOB NOT NULL PRIMARY KEY, holder BLOB NOT NULL, expires INTEGER NOT NULL
        ) WITHOUT ROWID",
    ],
    greatest: "max",
    sweep: "DELETE FROM sealed_session_rows WHERE id_hash IN (
                SELECT id_hash FROM sealed_session_rows WHERE expires <= min($1, unixepoch()) LIMIT 1000
            )",
    trim: "DELETE FROM sealed_session_rows WHERE id_hash IN (
               SELECT id_hash FROM sealed_session_rows WHERE subject_hash = $1
               ORDER BY seen DESC LIMIT 1000 OFFSET $2
           ) AND subject_hash = $3",
    question_marks: false,
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    fault,
};

fn fault(error: &dyn DatabaseError) -> Fault {
    match error.code().as_deref() {
        // SQLITE_TOOBIG
        Some("18") => Fault::Refused,
        _ => Fault::Passing,
    }
}

/// The table of a ledger. `synchronous = FULL` waits until an entry is on the disk: a sign-out that was acknowledged must
/// not be lost when the machine loses power.
static LEDGER: Dialect = Dialect {
    on_connect: &["PRAGMA busy_timeout = 2000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"],
    probe: "SELECT position FROM sealed_session_ledger LIMIT 0",
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_ledger (
            namespace BLOB NOT NULL, position INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (namespace, position)
        ) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS sealed_session_ledger_until ON sealed_session_ledger (namespace, until)",
    ],
    ..SQLITE
};

static OWN: LedgerDialect = LedgerDialect {
    or_nothing: "ON CONFLICT DO NOTHING",
    returns_rows: true,
    forget: "DELETE FROM sealed_session_ledger WHERE namespace = $1 AND position IN (
                 SELECT position FROM sealed_session_ledger
                 WHERE namespace = $1 AND until <= min($2, unixepoch()) AND position > 0
                     AND position < (SELECT max(position) FROM sealed_session_ledger WHERE namespace = $3)
                 LIMIT 1000
             )",
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Sql::new(database(setting, &SQLITE)?), realm)))
}

pub(crate) fn open_log(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    Ok(Arc::new(SqlLog::new(database(setting, &LEDGER)?, namespace, &OWN)))
}

fn database(setting: &str, dialect: &'static Dialect) -> Result<Database, String> {
    let path = setting.trim_start_matches("sqlite:").trim_start_matches("//");
    let (path, parameters) = path.split_once('?').unwrap_or((path, "mode=rwc"));
    if path.is_empty() || path.contains(":memory:") {
        return Err("it names no file, as \"sqlite:data/app.db\" does; \"memory\" is a store too".into());
    }
    let is_created = parameters.split('&').any(|parameter| parameter == "mode=rwc");
    let file = is_created.then(|| PathBuf::from(&*RawStr::new(path).percent_decode_lossy()));
    let url = format!("sqlite:{path}?{parameters}");
    let options: SqliteConnectOptions = options(&url)?;
    let reads = Connections::<Sqlite>::new(options.clone(), dialect, MAX_CONNECTIONS);
    // It lets one write at a time.
    let writes = Connections::<Sqlite>::new(options, dialect, 1);
    let driver = Native { reads, writes, rows_affected: SqliteQueryResult::rows_affected };
    Ok(Database::new(&url, dialect, driver, file))
}

#[cfg(test)]
mod tests {
    use rocket::futures::FutureExt as _;

    use super::*;

    #[rocket::async_test]
    async fn an_entry_of_a_ledger_is_on_the_disk_when_it_is_acknowledged_and_a_session_soon_after() {
        for (dialect, full_or_normal) in [(&LEDGER, 2), (&SQLITE, 1)] {
            let memory = "sqlite::memory:".parse().unwrap();
            let connections = Connections::<Sqlite>::new(memory, dialect, 1);
            let asked = sqlx::query_scalar::<_, i64>("PRAGMA synchronous");
            let synchronous = connections.run(|connection| asked.fetch_one(connection).boxed()).await;
            assert_eq!(synchronous.unwrap(), full_or_normal);
        }
    }
}

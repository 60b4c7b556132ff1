//! Sessions in MySQL or MariaDB.

use std::sync::Arc;

use super::Sql;
use super::dialect::Dialect;
use crate::store::{ServerStore, Store};

static MYSQL: Dialect = Dialect {
    // Locks rows that are there and no gaps between them: fewer statements wait for each other.
    on_connect: &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"],
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
    sweep: "DELETE FROM sealed_session_rows WHERE expires <= $1 LIMIT 1000",
    question_marks: true,
    single_writer: false,
    now: Some("CAST(unix_timestamp(now(3)) * 1000 AS signed)"),
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Sql::new(setting, &MYSQL, None)?, realm)))
}

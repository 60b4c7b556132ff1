//! Sessions in MySQL or MariaDB.

use std::sync::Arc;

use super::SqlStore;
use super::dialect::Dialect;
use crate::store::Store;

static MYSQL: Dialect = Dialect {
    // Locks rows that are there and no gaps between them: fewer statements wait for each other.
    on_connect: &["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_sessions (
            id_hash varbinary(32) NOT NULL PRIMARY KEY, subject_hash varbinary(32), created bigint NOT NULL,
            seen bigint NOT NULL, version bigint NOT NULL, remembered bigint NOT NULL, signed_in bigint,
            subject longblob, data longblob, expires bigint NOT NULL,
            INDEX sealed_sessions_expires (expires), INDEX sealed_sessions_subject (subject_hash)
        ) ENGINE = InnoDB",
        "CREATE TABLE IF NOT EXISTS sealed_session_leases (
            name varbinary(32) NOT NULL PRIMARY KEY, holder varbinary(16) NOT NULL, expires bigint NOT NULL
        ) ENGINE = InnoDB",
    ],
    sweep: "DELETE FROM sealed_sessions WHERE expires <= $1 LIMIT 1000",
    question_marks: true,
    single_writer: false,
    now: Some("CAST(unix_timestamp(now(3)) * 1000 AS signed)"),
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(SqlStore::new(setting, realm, &MYSQL, None)?))
}

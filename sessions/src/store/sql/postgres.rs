//! Sessions in PostgreSQL.

use std::sync::Arc;

use super::Sql;
use super::dialect::Dialect;
use crate::store::{ServerStore, Store};

static POSTGRES: Dialect = Dialect {
    on_connect: &[],
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
    sweep: "DELETE FROM sealed_session_rows WHERE id_hash IN
            (SELECT id_hash FROM sealed_session_rows WHERE expires <= $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)",
    question_marks: false,
    single_writer: false,
    now: Some("(extract(epoch FROM clock_timestamp()) * 1000)::bigint"),
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Sql::new(setting, &POSTGRES, None)?, realm)))
}

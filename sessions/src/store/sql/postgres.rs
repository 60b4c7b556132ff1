//! Sessions in PostgreSQL.

use std::sync::Arc;

use super::SqlStore;
use super::dialect::Dialect;
use crate::store::Store;

static POSTGRES: Dialect = Dialect {
    on_connect: &[],
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_sessions (
            id_hash bytea NOT NULL PRIMARY KEY, subject_hash bytea, created bigint NOT NULL,
            seen bigint NOT NULL, version bigint NOT NULL, remembered bigint NOT NULL, signed_in bigint,
            subject bytea, data bytea, expires bigint NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS sealed_sessions_expires ON sealed_sessions (expires)",
        "CREATE INDEX IF NOT EXISTS sealed_sessions_subject ON sealed_sessions (subject_hash)
         WHERE subject_hash IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS sealed_session_leases (
            name bytea NOT NULL PRIMARY KEY, holder bytea NOT NULL, expires bigint NOT NULL
        )",
    ],
    sweep: "DELETE FROM sealed_sessions WHERE id_hash IN
            (SELECT id_hash FROM sealed_sessions WHERE expires <= $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)",
    question_marks: false,
    single_writer: false,
    now: Some("(extract(epoch FROM clock_timestamp()) * 1000)::bigint"),
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(SqlStore::new(setting, realm, &POSTGRES, None)?))
}

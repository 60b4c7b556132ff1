//! Sessions in an SQLite file: they survive a restart, and the processes of one machine share them.

use std::path::Path;
use std::sync::Arc;

use rocket::http::RawStr;

use super::Sql;
use super::dialect::Dialect;
use crate::store::{ServerStore, Store};

/// WAL lets others read while one writes. `synchronous = NORMAL` keeps the file whole whatever happens; when
/// the machine itself loses power, the last moments before it may be lost.
static SQLITE: Dialect = Dialect {
    on_connect: &["PRAGMA busy_timeout = 2000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"],
    schema: &[
        "CREATE TABLE IF NOT EXISTS sealed_session_rows (
            id_hash BLOB NOT NULL PRIMARY KEY, version INTEGER NOT NULL, seen INTEGER NOT NULL,
            expires INTEGER NOT NULL, subject_hash BLOB, body BLOB NOT NULL
        ) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_expires ON sealed_session_rows (expires)",
        "CREATE INDEX IF NOT EXISTS sealed_session_rows_subject ON sealed_session_rows (subject_hash)
         WHERE subject_hash IS NOT NULL",
    ],
    sweep: "DELETE FROM sealed_session_rows WHERE id_hash IN
            (SELECT id_hash FROM sealed_session_rows WHERE expires <= $1 LIMIT 1000)",
    question_marks: false,
    single_writer: true,
    now: None,
};

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    let path = setting.trim_start_matches("sqlite:").trim_start_matches("//");
    let (path, options) = path.split_once('?').unwrap_or((path, "mode=rwc"));
    if path.is_empty() || path.contains(":memory:") {
        return Err("it names no file, as \"sqlite:data/app.db\" does; \"memory\" is a store too".into());
    }
    let directory = Path::new(&*RawStr::new(path).percent_decode_lossy()).parent().map(Path::to_owned);
    let sqlite = Sql::new(&format!("sqlite:{path}?{options}"), &SQLITE, directory)?;
    Ok(Arc::new(ServerStore::new(sqlite, realm)))
}

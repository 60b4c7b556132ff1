//! The statements of the SQL backends, and what differs from database to database.

use std::sync::Arc;

use rocket::futures::future::BoxFuture;
use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Error, SqlSafeStr, SqlStr};

use super::faults::Fault;
use crate::error::StoreError;

type Check = fn(url: &str) -> BoxFuture<'_, Result<u64, StoreError>>;

/// What one database does in its own way.
pub(super) struct Dialect {
    /// What is run on every new connection.
    pub(super) on_connect: &'static [&'static str],
    /// Asks the server at a URL how many bytes a row may have, or says why it cannot be used.
    pub(super) check: Option<Check>,
    /// Reads no row of the tables, if they are there.
    pub(super) probe: &'static str,
    /// The tables and indexes. Each may be there already.
    pub(super) schema: &'static [&'static str],
    /// The function that returns the greatest of its arguments.
    pub(super) greatest: &'static str,
    /// Deletes a batch of what has expired by its parameter and by the database's clock: by the earlier of the two.
    pub(super) sweep: &'static str,
    /// Deletes a batch of a subject's rows that are beyond a number, the most recently used ones coming first. Its
    /// parameters are the subject, the number, and the subject again.
    pub(super) trim: &'static str,
    /// Parameters are `?` instead of `$1`.
    pub(super) question_marks: bool,
    /// The database's clock, in milliseconds.
    pub(super) now: &'static str,
    /// What an error of the database says.
    pub(super) fault: fn(&dyn DatabaseError) -> Fault,
}

/// How many rows `page` finds at most.
pub(super) const PAGE: usize = 500;

/// Finds whether the tables of the stores are there. An SQLite file of an older version has none of leases.
pub(super) const PROBE: &str = "SELECT 1 FROM sealed_session_rows, sealed_session_leases LIMIT 0";

/// The statements, in the dialect's notation.
pub(super) struct Statements {
    pub(super) get: SqlStr,
    pub(super) insert: SqlStr,
    pub(super) replace: SqlStr,
    pub(super) mark: SqlStr,
    pub(super) touch: SqlStr,
    pub(super) remove: SqlStr,
    pub(super) of_subject: SqlStr,
    pub(super) page: SqlStr,
    pub(super) sweep: SqlStr,
    pub(super) trim: SqlStr,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Statements {
        let statement = |text: &str| dialect.statement(text);
        let greatest = dialect.greatest;
        Statements {
            get: statement(
                "SELECT version, seen, expires, subject_hash, body FROM sealed_session_rows WHERE id_hash = $1",
            ),
            insert: statement(
                "INSERT INTO sealed_session_rows (version, seen, expires, subject_hash, body, id_hash)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            ),
            replace: statement(&format!(
                "UPDATE sealed_session_rows SET version = $1, seen = {greatest}(seen, $2),
                 expires = {greatest}(expires, $3), subject_hash = $4, body = $5
                 WHERE id_hash = $6 AND version = $7 AND expires > $8"
            )),
            mark: statement(
                "UPDATE sealed_session_rows SET version = $1, seen = $2, expires = $3, subject_hash = $4, body = $5
                 WHERE id_hash = $6 AND version = $7 AND expires > $8",
            ),
            touch: statement(&format!(
                "UPDATE sealed_session_rows SET seen = {greatest}(seen, $1), expires = {greatest}(expires, $2)
                 WHERE id_hash = $3 AND version > 0 AND expires > $4"
            )),
            remove: statement(
                "DELETE FROM sealed_session_rows WHERE id_hash = $1 AND version BETWEEN $2 AND $3",
            ),
            of_subject: statement(
                "SELECT version, seen, expires, subject_hash, body, id_hash
                 FROM sealed_session_rows WHERE subject_hash = $1",
            ),
            page: statement(&format!(
                "SELECT version, seen, expires, subject_hash, body, id_hash FROM sealed_session_rows
                 WHERE id_hash > $1 AND (subject_hash IS NOT NULL OR version = 0)
                 ORDER BY id_hash LIMIT {PAGE}"
            )),
            sweep: statement(dialect.sweep),
            trim: statement(dialect.trim),
        }
    }
}

impl Dialect {
    /// `text`, whose parameters are `$1`, `$2` and so on in this order. Without the space between its lines: drivers
    /// look a prepared statement up by its text.
    pub(super) fn statement(&self, text: &str) -> SqlStr {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = if self.question_marks {
            let mut parts = text.split('$');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| text + "?" + part.trim_start_matches(|d: char| d.is_ascii_digit()))
        } else {
            text
        };
        // Built of constants alone.
        AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
    }

    /// What an error says about the statement.
    pub(super) fn fault(&self, error: &Error) -> Fault {
        match error {
            Error::Database(error) if error.is_unique_violation() => Fault::Taken,
            Error::Database(error) => (self.fault)(&**error),
            // What cannot be understood leaves a connection that is of no use.
            Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => Fault::Lost,
            Error::Encode(_) | Error::InvalidArgument(_) => Fault::Refused,
            _ => Fault::Passing,
        }
    }
}

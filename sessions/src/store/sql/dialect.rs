//! The statements of the SQL backends, and what differs from database to database.

use std::sync::Arc;

use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, SqlSafeStr, SqlStr};

/// What one database does in its own way.
pub(super) struct Dialect {
    /// What is run on every new connection.
    pub(super) on_connect: &'static [&'static str],
    /// The tables and indexes. Each may be there already.
    pub(super) schema: &'static [&'static str],
    /// Deletes a batch of what has expired by its parameter.
    pub(super) sweep: &'static str,
    /// Parameters are `?` instead of `$1`.
    pub(super) question_marks: bool,
    /// One connection writes, others read: for a database that lets one write at a time.
    pub(super) single_writer: bool,
    /// The database's clock, in milliseconds; `None` for a database of one machine, whose sessions take turns
    /// without leases.
    pub(super) now: Option<&'static str>,
}

/// A statement with its parameters.
pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// The statements, in the dialect's notation.
pub(super) struct Statements {
    pub(super) get: SqlStr,
    pub(super) insert: SqlStr,
    pub(super) replace: SqlStr,
    pub(super) mark: SqlStr,
    pub(super) touch: SqlStr,
    pub(super) remove: SqlStr,
    pub(super) of_subject: SqlStr,
    pub(super) sweep: SqlStr,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Statements {
        let statement = |text: &str| dialect.statement(text);
        Statements {
            get: statement(
                "SELECT version, seen, expires, subject_hash, body FROM sealed_session_rows WHERE id_hash = $1",
            ),
            insert: statement(
                "INSERT INTO sealed_session_rows (version, seen, expires, subject_hash, body, id_hash)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            ),
            replace: statement(
                "UPDATE sealed_session_rows SET version = $1, seen = CASE WHEN seen > $2 THEN seen ELSE $3 END,
                 expires = CASE WHEN expires > $4 THEN expires ELSE $5 END, subject_hash = $6, body = $7
                 WHERE id_hash = $8 AND version = $9 AND expires > $10",
            ),
            mark: statement(
                "UPDATE sealed_session_rows SET version = $1, seen = $2, expires = $3, subject_hash = $4, body = $5
                 WHERE id_hash = $6 AND version = $7 AND expires > $8",
            ),
            touch: statement(
                "UPDATE sealed_session_rows SET seen = CASE WHEN seen > $1 THEN seen ELSE $2 END,
                 expires = CASE WHEN expires > $3 THEN expires ELSE $4 END
                 WHERE id_hash = $5 AND version > 0 AND expires > $6",
            ),
            remove: statement("DELETE FROM sealed_session_rows WHERE id_hash = $1 AND version = $2"),
            of_subject: statement(
                "SELECT version, seen, expires, subject_hash, body, id_hash
                 FROM sealed_session_rows WHERE subject_hash = $1",
            ),
            sweep: statement(dialect.sweep),
        }
    }
}

impl Dialect {
    /// `text`, whose parameters are `$1`, `$2` and so on in this order.
    pub(super) fn statement(&self, text: &str) -> SqlStr {
        let text = if self.question_marks {
            let mut parts = text.split('$');
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| text + "?" + part.trim_start_matches(|d: char| d.is_ascii_digit()))
        } else {
            text.to_owned()
        };
        // Built of constants alone.
        AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
    }
}

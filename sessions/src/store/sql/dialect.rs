//! The statements of the SQL stores, and what differs from database to database.

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
    /// The database's clock, in milliseconds; none where one process has the database to itself, whose
    /// locks then need no leases.
    pub(super) now: Option<&'static str>,
}

/// A statement with its parameters.
pub(super) type Statement = Query<'static, Any, AnyArguments>;

/// The statements, in the dialect's writing.
pub(super) struct Statements {
    pub(super) load: SqlStr,
    pub(super) create: SqlStr,
    pub(super) update: SqlStr,
    pub(super) mark: SqlStr,
    pub(super) touch: SqlStr,
    pub(super) version: SqlStr,
    pub(super) delete: SqlStr,
    pub(super) renewed: SqlStr,
    pub(super) list: SqlStr,
    pub(super) sweep: SqlStr,
}

impl Statements {
    pub(super) fn new(dialect: &Dialect) -> Statements {
        let statement = |text: &str| dialect.statement(text);
        Statements {
            load: statement(
                "SELECT created, seen, version, remembered, signed_in, subject, data
                 FROM sealed_sessions WHERE id_hash = $1 AND expires > $2",
            ),
            create: statement(
                "INSERT INTO sealed_sessions
                 (id_hash, subject_hash, created, seen, version, remembered, signed_in, subject, data, expires)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            ),
            update: statement(
                "UPDATE sealed_sessions SET subject_hash = $1, created = $2, seen = $3, version = $4,
                 remembered = $5, signed_in = $6, subject = $7, data = $8, expires = $9
                 WHERE id_hash = $10 AND version = $11 AND expires > $12 AND data IS NOT NULL",
            ),
            // The marker of a renewed id has no subject: its column says which session it became.
            mark: statement(
                "UPDATE sealed_sessions SET subject_hash = $1, subject = NULL, data = NULL, expires = $2
                 WHERE id_hash = $3 AND version = $4 AND expires > $5 AND data IS NOT NULL",
            ),
            touch: statement(
                "UPDATE sealed_sessions SET seen = CASE WHEN seen > $1 THEN seen ELSE $2 END,
                 expires = CASE WHEN expires > $3 THEN expires ELSE $4 END
                 WHERE id_hash = $5 AND expires > $6 AND data IS NOT NULL",
            ),
            version: statement(
                "SELECT version FROM sealed_sessions WHERE id_hash = $1 AND expires > $2 AND data IS NOT NULL",
            ),
            delete: statement("DELETE FROM sealed_sessions WHERE id_hash = $1 AND data IS NOT NULL"),
            renewed: statement(
                "SELECT subject_hash FROM sealed_sessions WHERE id_hash = $1 AND data IS NULL",
            ),
            list: statement(
                "SELECT created, seen, version, remembered, signed_in, subject, data, id_hash
                 FROM sealed_sessions WHERE subject_hash = $1 AND expires > $2",
            ),
            sweep: statement(dialect.sweep),
        }
    }
}

impl Dialect {
    /// `text`, whose parameters are `$1`, `$2` and so on in this order.
    pub(super) fn statement(&self, text: &str) -> SqlStr {
        let text = match self.question_marks {
            false => text.to_owned(),
            true => {
                let mut parts = text.split('$');
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |text, part| {
                    text + "?" + part.trim_start_matches(|d: char| d.is_ascii_digit())
                })
            }
        };
        // Built of constants alone.
        AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
    }
}

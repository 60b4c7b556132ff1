//! A ledger in a table: what SQLite, PostgreSQL and MySQL have in common.

use rocket::tokio::sync::Mutex;
use rocket::tokio::task::yield_now;
use sqlx::SqlStr;

use super::client::Client;
use super::database::Database;
use super::driver::{LineRow, Value};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::ledger::{Hints, Line, Log, Page};

/// How often an entry finds that its position was taken by one of another node at the same moment.
const MAX_TRIES: usize = 1000;

/// The claim's row is kept for ever.
const NEVER: i64 = i64::MAX;

/// What one database does in its own way with the table of a ledger.
pub(super) struct LedgerDialect {
    /// Ends an insertion that does nothing where there is a row already. Without it that is an error.
    pub(super) or_nothing: &'static str,
    /// Whether an insertion can return the row that it adds.
    pub(super) returns_rows: bool,
    /// Forgets a batch. Its parameters are the namespace, a time, and the namespace again. By the earlier of that time
    /// and the database's clock: a node whose clock is ahead must not bring back what has ended.
    pub(super) forget: &'static str,
}

/// Keeps the entries of a ledger in the table `sealed_session_ledger`, which it makes. The claim is at position 0.
pub(crate) struct SqlLog {
    database: Database,
    namespace: Vec<u8>,
    statements: Statements,
    /// A node's own entries take turns: at once they would only take each other's positions.
    turn: Mutex<()>,
    hints: Option<Box<dyn Hints>>,
}

/// The statements, in the dialect's notation.
struct Statements {
    read: SqlStr,
    put: SqlStr,
    reclaim: SqlStr,
    append: Append,
    forget: SqlStr,
}

/// Adds an entry after the last one. Whoever finds the position taken has been overtaken, and asks again: a sequence
/// would give positions in another order than that in which others see the entries.
enum Append {
    /// Returns what it has added.
    AtOnce(SqlStr),
    /// Finds the last entry, and goes on from there if it still is the last.
    InSteps { last: SqlStr, add: SqlStr },
}

impl SqlLog {
    pub(super) fn new(database: Database, namespace: &str, own: &LedgerDialect) -> SqlLog {
        let statement = |text: &str| database.dialect.statement(text);
        let append = if own.returns_rows {
            Append::AtOnce(statement(
                "INSERT INTO sealed_session_ledger (namespace, position, until, body)
                 SELECT $1, position + 1, $2, $3 FROM sealed_session_ledger WHERE namespace = $4 AND position > 0
                 ORDER BY position DESC LIMIT 1 RETURNING position, until, body",
            ))
        } else {
            Append::InSteps {
                last: statement(
                    "SELECT position, until, body FROM sealed_session_ledger WHERE namespace = $1 AND position > 0
                     ORDER BY position DESC LIMIT 1",
                ),
                add: statement(
                    "INSERT INTO sealed_session_ledger (namespace, position, until, body)
                     SELECT last.namespace, last.position + 1, $1, $2 FROM sealed_session_ledger AS last
                     WHERE last.namespace = $3 AND last.position = $4 AND NOT EXISTS (
                         SELECT 1 FROM sealed_session_ledger AS later
                         WHERE later.namespace = $5 AND later.position > $6
                     )",
                ),
            }
        };
        let statements = Statements {
            read: statement(
                "SELECT position, until, body FROM sealed_session_ledger WHERE namespace = $1 AND position = 0
                 UNION ALL SELECT * FROM (
                     SELECT position, until, body FROM sealed_session_ledger
                     WHERE namespace = $2 AND position >= $3 ORDER BY position LIMIT $4
                 ) AS entries",
            ),
            put: statement(&format!(
                "INSERT INTO sealed_session_ledger (namespace, position, until, body) VALUES ($1, $2, $3, $4) {}",
                own.or_nothing
            )),
            reclaim: statement(
                "UPDATE sealed_session_ledger SET body = $1 WHERE namespace = $2 AND position = 0 AND body = $3",
            ),
            append,
            forget: statement(own.forget),
        };
        SqlLog {
            database,
            namespace: namespace.as_bytes().to_vec(),
            statements,
            turn: Mutex::default(),
            hints: None,
        }
    }

    /// A log that can push hints.
    #[cfg(feature = "postgres")]
    pub(super) fn with_hints(self, hints: impl Hints + 'static) -> SqlLog {
        SqlLog { hints: Some(Box::new(hints)), ..self }
    }

    fn client(&self) -> &Client {
        &self.database.client
    }

    fn namespace(&self) -> Value<'_> {
        Value::Bytes(&self.namespace)
    }

    /// Adds a row; `false` if there is one at this position.
    async fn insert(&self, position: u64, until: UnixSeconds, body: &[u8]) -> Result<bool, StoreError> {
        let values = [self.namespace(), number(position), Value::Number(until), Value::Bytes(body)];
        self.client().inserts(&self.statements.put, &values).await
    }

    /// Adds an entry after the last one, if there is one: `Some` of its position. `None` if another took its place.
    async fn try_append(&self, entry: &Line) -> Result<Option<Option<u64>>, StoreError> {
        let (namespace, until, body) =
            (self.namespace(), Value::Number(entry.until), Value::Bytes(&entry.body));
        match &self.statements.append {
            Append::AtOnce(append) => {
                let added = self.client().added(append, &[namespace, until, body, namespace]).await?;
                added.map(first).transpose()
            }
            Append::InSteps { last, add } => {
                let Some(last) = first(self.client().lines(last, &[namespace]).await?)? else {
                    return Ok(Some(None));
                };
                let after = number(last);
                let values = [until, body, namespace, after, namespace, after];
                Ok(self.client().changes(add, &values).await?.then_some(Some(last + 1)))
            }
        }
    }
}

fn number(position: u64) -> Value<'static> {
    Value::Number(i64::try_from(position).unwrap_or(i64::MAX))
}

/// Reads the columns `position, until, body`.
fn line((position, until, body): LineRow) -> Result<(u64, Line), StoreError> {
    let position =
        u64::try_from(position).map_err(|_| StoreError::Failed("a position is below zero".into()))?;
    Ok((position, Line { until, body }))
}

/// The position of the first of some rows.
fn first(rows: Vec<LineRow>) -> Result<Option<u64>, StoreError> {
    Ok(rows.into_iter().next().map(line).transpose()?.map(|(position, _)| position))
}

#[rocket::async_trait]
impl Log for SqlLog {
    async fn start(&self) -> Result<(), StoreError> {
        self.database.start().await
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let limit = Value::Number(i64::try_from(limit).unwrap_or(i64::MAX));
        let values = [self.namespace(), self.namespace(), number(from.max(1)), limit];
        let rows = self.client().lines(&self.statements.read, &values).await?;
        let mut lines = rows.into_iter().map(line).collect::<Result<Vec<_>, _>>()?;
        lines.sort_by_key(|(position, _)| *position);
        let has_claim = lines.first().is_some_and(|(position, _)| *position == 0);
        let claim = has_claim.then(|| lines.remove(0).1.body);
        Ok(Page { claim, lines })
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        match expected {
            None => self.insert(0, NEVER, claim).await,
            Some(expected) => {
                let values = [Value::Bytes(claim), self.namespace(), Value::Bytes(expected)];
                self.client().changes(&self.statements.reclaim, &values).await
            }
        }
    }

    async fn append(&self, entry: &Line) -> Result<Option<u64>, StoreError> {
        let _turn = self.turn.lock().await;
        for _ in 0..MAX_TRIES {
            match self.try_append(entry).await? {
                Some(appended) => return Ok(appended),
                None => yield_now().await,
            }
        }
        Err(StoreError::Failed("entries are appended faster than this one".into()))
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        for (position, Line { until, body }) in lines {
            self.insert(*position, *until, body).await?;
        }
        Ok(())
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let values = [self.namespace(), Value::Number(now), self.namespace()];
        self.client().execute(&self.statements.forget, &values).await
    }

    fn hints(&self) -> Option<&dyn Hints> {
        self.hints.as_deref()
    }

    async fn stop(&self) {
        self.client().close().await;
    }
}

//! Running statements, and telling what their errors mean for a session.

use std::sync::atomic::{AtomicU64, Ordering};

use rocket::futures::future::BoxFuture;
use sqlx::{Error, SqlStr};

use super::dialect::Dialect;
use super::driver::LineRow;
use super::driver::{Driver, Value};
use super::faults::Fault;
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::backend::Row;

/// A statement that met others is run at most so often.
const MAX_TRIES: usize = 8;

/// Runs the statements of a dialect.
pub(super) struct Client {
    driver: Box<dyn Driver>,
    dialect: &'static Dialect,
    /// How many bytes a row may have.
    max_bytes: AtomicU64,
}

impl Client {
    pub(super) fn new(driver: Box<dyn Driver>, dialect: &'static Dialect) -> Client {
        Client { driver, dialect, max_bytes: AtomicU64::new(u64::MAX) }
    }

    /// Refuses rows of more bytes from now on: where the server does so itself, it may close the connection instead
    /// of answering.
    pub(super) fn set_max_bytes(&self, max: u64) {
        self.max_bytes.store(max, Ordering::Relaxed);
    }

    /// Runs a statement; how many rows it has changed.
    pub(super) async fn execute(&self, statement: &SqlStr, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.run(statement, values).await.map_err(|error| self.failed(error))
    }

    /// Runs a statement with a condition; whether it has changed a row. Not if others kept changing it meanwhile, or
    /// have taken its place: the layer above looks again.
    pub(super) async fn changes(&self, statement: &SqlStr, values: &[Value<'_>]) -> Result<bool, StoreError> {
        match self.run(statement, values).await {
            Ok(changed) => Ok(changed == 1),
            Err(error) if self.is_overtaken(&error) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Runs an insertion; `false` if there is such a row already.
    pub(super) async fn inserts(&self, statement: &SqlStr, values: &[Value<'_>]) -> Result<bool, StoreError> {
        match self.run(statement, values).await {
            Ok(added) => Ok(added == 1),
            Err(error) if self.dialect.fault(&error) == Fault::Taken => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The row that `get` finds.
    pub(super) async fn row(&self, get: &SqlStr, id: &IdHash) -> Result<Option<Row>, StoreError> {
        let values = [Value::Bytes(id.as_bytes())];
        let found = self.tried(|| self.driver.row(get, &values)).await;
        found.map_err(|error| self.failed(error))
    }

    /// The rows that `of_subject` or `page` finds.
    pub(super) async fn rows(
        &self,
        statement: &SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let found = self.tried(|| self.driver.rows(statement, values)).await;
        found.map_err(|error| self.failed(error))
    }

    /// The rows of a ledger that a statement finds.
    pub(super) async fn lines(
        &self,
        statement: &SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<LineRow>, StoreError> {
        let found = self.tried(|| self.driver.lines(statement, values)).await;
        found.map_err(|error| self.failed(error))
    }

    /// The rows of a ledger that a statement adds; `None` if another one took the place.
    pub(super) async fn added(
        &self,
        statement: &SqlStr,
        values: &[Value<'_>],
    ) -> Result<Option<Vec<LineRow>>, StoreError> {
        match self.driver.added(statement, values).await {
            Ok(added) => Ok(Some(added)),
            Err(error) if self.is_overtaken(&error) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Makes the tables that are not there.
    pub(super) async fn make_tables(&self) -> Result<(), StoreError> {
        let made = match self.driver.make_tables().await {
            // Another process may have made them at the same moment.
            Err(Error::Database(_)) => self.driver.make_tables().await,
            made => made,
        };
        made.map_err(|error| self.failed(error))
    }

    pub(super) async fn close(&self) {
        self.driver.close().await;
    }

    async fn run(&self, statement: &SqlStr, values: &[Value<'_>]) -> Result<u64, Error> {
        let bytes: u64 = values.iter().map(|value| value.bytes()).sum();
        let max = self.max_bytes.load(Ordering::Relaxed);
        if bytes > max {
            return Err(Error::InvalidArgument(format!(
                "a row of {bytes} bytes, where the server takes {max}"
            )));
        }
        self.tried(|| self.driver.execute(statement, values)).await
    }

    /// Runs what the database has undone again.
    async fn tried<'a, T>(&self, run: impl Fn() -> BoxFuture<'a, Result<T, Error>>) -> Result<T, Error> {
        let mut answer = run().await;
        for _ in 1..MAX_TRIES {
            match &answer {
                Err(error) if self.dialect.fault(error) == Fault::Conflict => answer = run().await,
                _ => break,
            }
        }
        answer
    }

    fn is_overtaken(&self, error: &Error) -> bool {
        matches!(self.dialect.fault(error), Fault::Taken | Fault::Conflict)
    }

    /// The driver's message may name the server and the account, but shows no password and no parameter.
    pub(super) fn failed(&self, error: Error) -> StoreError {
        let text = error.to_string().lines().collect::<Vec<_>>().join(" ");
        match self.dialect.fault(&error) {
            Fault::Lost => StoreError::Disconnected(text),
            Fault::Refused => StoreError::Refused(text),
            Fault::Taken | Fault::Conflict | Fault::Passing => StoreError::Failed(text),
        }
    }
}

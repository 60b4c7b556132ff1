//! Running statements, and reading their rows.

use sqlx::any::{AnyQueryResult, AnyRow};
use sqlx::{AnyPool, Row as _, SqlStr};

use super::dialect::Statement;
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::backend::{Row, SubjectHash};
use crate::store::server::detached::run_to_end;

pub(super) fn query(statement: &SqlStr) -> Statement {
    sqlx::query(statement.clone())
}

// A connection that is dropped in the middle of a statement can be lost to its pool (seen with MySQL), so
// every statement runs to its end.

/// Runs a statement; whether it changed a row.
pub(super) async fn changes(statement: Statement, pool: &AnyPool) -> Result<bool, StoreError> {
    Ok(execute(statement, pool).await?.rows_affected() == 1)
}

/// Runs an insertion; `false` if there is such a row already.
pub(super) async fn inserts(statement: Statement, pool: &AnyPool) -> Result<bool, StoreError> {
    let pool = pool.clone();
    run_to_end(async move {
        match statement.execute(&pool).await {
            Ok(_) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    })
    .await
}

pub(super) async fn execute(statement: Statement, pool: &AnyPool) -> Result<AnyQueryResult, StoreError> {
    let pool = pool.clone();
    run_to_end(async move { statement.execute(&pool).await.map_err(failed) }).await
}

pub(super) async fn fetch(statement: Statement, pool: &AnyPool) -> Result<Option<AnyRow>, StoreError> {
    let pool = pool.clone();
    run_to_end(async move { statement.fetch_optional(&pool).await.map_err(failed) }).await
}

pub(super) async fn fetch_all(statement: Statement, pool: &AnyPool) -> Result<Vec<AnyRow>, StoreError> {
    let pool = pool.clone();
    run_to_end(async move { statement.fetch_all(&pool).await.map_err(failed) }).await
}

pub(super) fn bytes(id: &IdHash) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// The driver's message may name the server and the account, but shows no password and no parameter.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Failed(error.to_string().lines().collect::<Vec<_>>().join(" "))
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// Reads a row of `get`.
pub(super) fn row(row: &AnyRow) -> Result<Row, sqlx::Error> {
    let subject = row.try_get::<Option<Vec<u8>>, _>(3)?.map(hash).transpose()?;
    Ok(Row {
        version: u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX),
        seen: row.try_get(1)?,
        expires: row.try_get(2)?,
        subject: subject.map(SubjectHash::from_bytes),
        body: row.try_get(4)?,
    })
}

/// Reads a row of `of_subject`.
pub(super) fn row_with_id(found: &AnyRow) -> Result<(IdHash, Row), sqlx::Error> {
    Ok((IdHash::from_bytes(hash(found.try_get(5)?)?), row(found)?))
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32], sqlx::Error> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}

//! Running statements, and reading their rows.

use sqlx::any::{AnyQueryResult, AnyRow};
use sqlx::{AnyPool, Row as _, SqlStr};

use super::dialect::Statement;
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::detached::undropped;
use crate::store::server::row::Row;

pub(super) fn query(statement: &SqlStr) -> Statement {
    sqlx::query(statement.clone())
}

// A connection that is dropped in the middle of a statement can be lost to its pool (seen with MySQL), so
// every statement runs to its end.

pub(super) async fn execute(statement: Statement, pool: &AnyPool) -> Result<AnyQueryResult, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.execute(&pool).await }).await
}

pub(super) async fn fetch_optional(
    statement: Statement,
    pool: &AnyPool,
) -> Result<Option<AnyRow>, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.fetch_optional(&pool).await }).await
}

pub(super) async fn fetch_all(statement: Statement, pool: &AnyPool) -> Result<Vec<AnyRow>, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.fetch_all(&pool).await }).await
}

pub(super) fn bytes(id: &IdHash) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(super) fn one(result: &AnyQueryResult) -> bool {
    result.rows_affected() == 1
}

/// The driver's message may name the server and the account, but shows no password and no parameter.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Failed(error.to_string().lines().collect::<Vec<_>>().join(" "))
}

pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// Reads the hash of an id from a column.
pub(super) fn id_in(row: &AnyRow, column: usize) -> Result<IdHash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let bytes = bytes.try_into().map_err(|_| sqlx::Error::Decode("the hash of an id has 32 bytes".into()))?;
    Ok(IdHash::from_bytes(bytes))
}

/// Reads a row; `None` for the marker that a renewed id leaves behind.
pub(super) fn read(row: &AnyRow) -> Result<Option<Row>, sqlx::Error> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into()));
    let Some(data) = row.try_get::<Option<Vec<u8>>, _>(6)? else { return Ok(None) };
    Ok(Some(Row {
        created: row.try_get(0)?,
        seen: row.try_get(1)?,
        version: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or(u32::MAX),
        remembered: row.try_get::<i64, _>(3)? != 0,
        signed_in: row.try_get(4)?,
        subject: row.try_get::<Option<Vec<u8>>, _>(5)?.map(text).transpose()?,
        data: text(data)?,
    }))
}

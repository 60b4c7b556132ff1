//! What the backends ask of the driver of a database: to run a statement, and to read rows.

use rocket::futures::future::BoxFuture;
use sqlx::{
    Arguments as _, ColumnIndex, Database, Decode, Encode, Error, Executor, IntoArguments, Row as _, SqlStr,
    Type,
};

use super::connections::Connections;
use crate::record::id::IdHash;
use crate::store::server::backend::{Row, SubjectHash};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'v> {
    Number(i64),
    Bytes(&'v [u8]),
    MaybeBytes(Option<&'v [u8]>),
}

impl Value<'_> {
    /// How long it is, at most.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Value::Number(_) | Value::MaybeBytes(None) => 8,
            Value::Bytes(bytes) | Value::MaybeBytes(Some(bytes)) => bytes.len() as u64,
        }
    }
}

/// The columns `position, until, body` of a ledger.
pub(super) type LineRow = (i64, i64, Vec<u8>);

/// A database behind one of sqlx's drivers. (sqlx's `Any` would do, but copies each row once more.)
pub(super) trait Driver: Send + Sync {
    /// Runs a statement; how many rows it has changed.
    fn execute<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<u64, Error>>;

    /// The row that `get` finds.
    fn row<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Option<Row>, Error>>;

    /// The rows that `of_subject` or `page` finds.
    fn rows<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<(IdHash, Row)>, Error>>;

    /// The rows of a ledger that a statement finds.
    fn lines<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<LineRow>, Error>>;

    /// The rows of a ledger that a statement adds.
    fn added<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<LineRow>, Error>>;

    /// Makes the tables that are not there.
    fn make_tables(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Closes the connections.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The driver of one database.
pub(super) struct Native<DB: Database> {
    pub(super) reads: Connections<DB>,
    pub(super) writes: Connections<DB>,
    pub(super) rows_affected: fn(&DB::QueryResult) -> u64,
}

impl<DB> Driver for Native<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> &'v [u8]: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
    for<'v> Option<&'v [u8]>: Encode<'v, DB> + Decode<'v, DB> + Type<DB>,
{
    fn execute<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<u64, Error>> {
        let arguments = arguments::<DB>(values);
        Box::pin(async move {
            let query = sqlx::query_with(statement.clone(), arguments?);
            let done = self.writes.run(|connection| connection.execute(query)).await?;
            Ok((self.rows_affected)(&done))
        })
    }

    fn row<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Option<Row>, Error>> {
        let arguments = arguments::<DB>(values);
        Box::pin(async move {
            let query = sqlx::query_with(statement.clone(), arguments?);
            let found = self.reads.run(|connection| connection.fetch_optional(query)).await?;
            found.as_ref().map(row::<DB>).transpose()
        })
    }

    fn rows<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<(IdHash, Row)>, Error>> {
        let arguments = arguments::<DB>(values);
        Box::pin(async move {
            let query = sqlx::query_with(statement.clone(), arguments?);
            let found = self.reads.run(|connection| connection.fetch_all(query)).await?;
            let with_id =
                |found: &DB::Row| Ok((IdHash::from_bytes(hash(found.try_get(5)?)?), row::<DB>(found)?));
            found.iter().map(with_id).collect()
        })
    }

    fn lines<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<LineRow>, Error>> {
        let arguments = arguments::<DB>(values);
        Box::pin(async move { fetch_lines(&self.reads, statement, arguments?).await })
    }

    fn added<'a>(
        &'a self,
        statement: &'a SqlStr,
        values: &[Value<'_>],
    ) -> BoxFuture<'a, Result<Vec<LineRow>, Error>> {
        let arguments = arguments::<DB>(values);
        Box::pin(async move { fetch_lines(&self.writes, statement, arguments?).await })
    }

    fn make_tables(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.writes.make_tables())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.reads.close().await;
            self.writes.close().await;
        })
    }
}

fn arguments<DB>(values: &[Value<'_>]) -> Result<DB::Arguments, Error>
where
    DB: Database,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
    for<'v> &'v [u8]: Encode<'v, DB> + Type<DB>,
    for<'v> Option<&'v [u8]>: Encode<'v, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        match *value {
            Value::Number(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::MaybeBytes(bytes) => arguments.add(bytes),
        }
        .map_err(Error::Encode)?;
    }
    Ok(arguments)
}

async fn fetch_lines<DB>(
    connections: &Connections<DB>,
    statement: &SqlStr,
    arguments: DB::Arguments,
) -> Result<Vec<LineRow>, Error>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Decode<'v, DB> + Type<DB>,
    for<'v> &'v [u8]: Decode<'v, DB> + Type<DB>,
{
    let query = sqlx::query_with(statement.clone(), arguments);
    let found = connections.run(|connection| connection.fetch_all(query)).await?;
    let line = |row: &DB::Row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<&[u8], _>(2)?.to_vec()));
    found.iter().map(line).collect()
}

/// Reads a row of `get`, whose columns a row of `of_subject` or `page` has too.
fn row<DB>(row: &DB::Row) -> Result<Row, Error>
where
    DB: Database,
    usize: ColumnIndex<DB::Row>,
    for<'v> i64: Decode<'v, DB> + Type<DB>,
    for<'v> &'v [u8]: Decode<'v, DB> + Type<DB>,
    for<'v> Option<&'v [u8]>: Decode<'v, DB> + Type<DB>,
{
    let subject = row.try_get::<Option<&[u8]>, _>(3)?.map(hash).transpose()?;
    Ok(Row {
        version: u32::try_from(row.try_get::<i64, _>(0)?).unwrap_or(u32::MAX),
        seen: row.try_get(1)?,
        expires: row.try_get(2)?,
        subject: subject.map(SubjectHash::from_bytes),
        body: row.try_get::<&[u8], _>(4)?.to_vec(),
    })
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::Decode("a hash has 32 bytes".into()))
}

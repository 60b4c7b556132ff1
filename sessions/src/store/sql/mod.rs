//! Sessions in a table: what SQLite, PostgreSQL and MySQL have in common. What differs is in a [`Dialect`],
//! one in the file of each.

mod client;
mod connections;
mod database;
mod dialect;
mod driver;
mod faults;
mod leases;
mod ledger;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
mod notify;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(all(test, feature = "postgres"))]
mod silent_connections;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::ops::RangeInclusive;
use std::sync::Arc;

use sqlx::ConnectOptions;

use self::client::Client;
use self::database::Database;
use self::dialect::{PAGE, Statements};
use self::driver::Value;
use self::leases::SqlLeases;
use super::server::backend::{Backend, Leases, Row, Scan, Scanned, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// At most so many connections of each process.
const MAX_CONNECTIONS: u32 = 16;

/// How many rows a statement of a dialect sweeps or trims at once.
const BATCH: u64 = 1000;

/// Keeps rows in the table `sealed_session_rows`, which it makes.
struct Sql {
    database: Database,
    statements: Statements,
    client: Arc<Client>,
    leases: SqlLeases,
}

impl Sql {
    fn new(database: Database) -> Sql {
        let (dialect, client) = (database.dialect, Arc::clone(&database.client));
        let leases = SqlLeases::new(&client, dialect);
        Sql { database, statements: Statements::new(dialect), client, leases }
    }
}

/// The options in a URL. The error of the driver may show the URL, and the URL a password.
fn options<O: ConnectOptions>(url: &str) -> Result<O, String> {
    let options: O = url.parse().map_err(|_| "its address is not a URL".to_owned())?;
    Ok(options.disable_statement_logging())
}

/// The parameters of `insert`, with which those of `replace` and `mark` begin.
fn values<'v>(id: &'v IdHash, row: &'v Row) -> [Value<'v>; 6] {
    [
        Value::Number(i64::from(row.version)),
        Value::Number(row.seen),
        Value::Number(row.expires),
        Value::MaybeBytes(row.subject.as_ref().map(|subject| &subject.as_bytes()[..])),
        Value::Bytes(&row.body),
        Value::Bytes(id.as_bytes()),
    ]
}

#[rocket::async_trait]
impl Backend for Sql {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        self.client.row(&self.statements.get, id).await
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        self.client.inserts(&self.statements.insert, &values(id, row)).await
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let statement = if row.version > 0 { &self.statements.replace } else { &self.statements.mark };
        let [version, seen, expires, subject, body, id] = values(id, row);
        let expected = Value::Number(i64::from(expected));
        self.client.changes(statement, &[version, seen, expires, subject, body, id, expected, seen]).await
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let (id, seen, expires) = (Value::Bytes(id.as_bytes()), Value::Number(seen), Value::Number(expires));
        self.client.changes(&self.statements.touch, &[seen, expires, id, seen]).await
    }

    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        let (first, last) = versions.into_inner();
        let [first, last] = [first, last].map(|version| Value::Number(version.into()));
        let values = [Value::Bytes(id.as_bytes()), first, last];
        // One that met others to the last is an error: it must not be told from one that found no row.
        Ok(self.client.execute(&self.statements.remove, &values).await? == 1)
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        self.client.rows(&self.statements.of_subject, &[Value::Bytes(subject.as_bytes())]).await
    }

    async fn trim(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        let (subject, max) = (Value::Bytes(subject.as_bytes()), i64::try_from(max).unwrap_or(i64::MAX));
        let mut removed = 0;
        loop {
            let values = [subject, Value::Number(max), subject];
            let batch = self.client.execute(&self.statements.trim, &values).await?;
            removed += batch;
            if batch < BATCH {
                return Ok(removed);
            }
        }
    }

    /// By the earlier of this clock and the database's: one that is ahead must not end the sessions of others.
    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.leases.sweep().await?;
        self.client.execute(&self.statements.sweep, &[Value::Number(now)]).await
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.database.start().await
    }

    async fn stop(&self) {
        self.client.close().await;
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(&self.leases)
    }

    fn scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Scan for Sql {
    /// By the order of the hashes. A page begins after a hash.
    async fn page(&self, from: &[u8]) -> Result<Scanned, StoreError> {
        let rows = self.client.rows(&self.statements.page, &[Value::Bytes(from)]).await?;
        let last = rows.last().filter(|_| rows.len() == PAGE);
        let next = last.map(|(id, _)| id.as_bytes().to_vec());
        Ok(Scanned { rows, next })
    }
}

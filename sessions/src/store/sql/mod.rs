//! Sessions in a table: what SQLite, PostgreSQL and MySQL have in common. What differs is in a [`Dialect`],
//! one in the file of each.

mod dialect;
mod leases;
#[cfg(feature = "mysql")]
pub(super) mod mysql;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
mod query;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions, Connection, Executor, SqlStr};

use self::dialect::{Dialect, Statement, Statements};
use self::leases::SqlLeases;
use self::query::{bytes, changes, execute, failed, fetch, fetch_all, inserts, query, row, row_with_id};
use super::server::backend::{Backend, Leases, Row, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// At most so many connections of each process.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that has been idle for longer is tested before it is used: the server may have gone.
const TEST_INTERVAL: Duration = Duration::from_secs(1);

/// Keeps rows in the table `sealed_session_rows`, which it makes.
struct Sql {
    dialect: &'static Dialect,
    statements: Statements,
    options: AnyConnectOptions,
    reads: AnyPool,
    writes: AnyPool,
    /// Created before the database is opened.
    directory: Option<PathBuf>,
    leases: Option<SqlLeases>,
}

impl Sql {
    /// Connects nowhere yet. `directory` is where a database in a file is to lie.
    fn new(url: &str, dialect: &'static Dialect, directory: Option<PathBuf>) -> Result<Sql, String> {
        sqlx::any::install_default_drivers();
        // The error may show the URL, and the URL a password.
        let options: AnyConnectOptions = url.parse().map_err(|_| "its address is not a URL".to_owned())?;
        let options = options.disable_statement_logging();
        let pool = |max| pool(max, dialect).connect_lazy_with(options.clone());
        let reads = pool(MAX_CONNECTIONS);
        let writes = if dialect.single_writer { pool(1) } else { reads.clone() };
        let leases = dialect.now.map(|now| SqlLeases::new(writes.clone(), dialect, now));
        let statements = Statements::new(dialect);
        Ok(Sql { dialect, statements, options, reads, writes, directory, leases })
    }

    /// Makes the tables unless they are there: an app's account may not be allowed more than to use them. On a
    /// connection of its own, whose error says why there is none.
    async fn make_tables(&self) -> Result<(), sqlx::Error> {
        if let Some(directory) = &self.directory {
            make_private(directory)?;
        }
        let mut connection = self.options.connect().await?;
        let none = query(&self.statements.get).bind(vec![0; IdHash::BYTES]);
        if none.fetch_optional(&mut connection).await.is_err() {
            for statement in self.dialect.on_connect.iter().chain(self.dialect.schema) {
                connection.execute(*statement).await?;
            }
        }
        connection.close().await
    }
}

/// Makes a directory for its owner only: sessions are nobody else's to read.
fn make_private(directory: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

fn pool(max: u32, dialect: &'static Dialect) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(max)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TEST_INTERVAL {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in dialect.on_connect {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        })
}

/// `insert` or `mark` with the columns of a row, in their order.
fn with_row(statement: &SqlStr, row: &Row) -> Statement {
    query(statement)
        .bind(i64::from(row.version))
        .bind(row.seen)
        .bind(row.expires)
        .bind(row.subject.map(|subject| subject.as_bytes().to_vec()))
        .bind(row.body.clone())
}

#[rocket::async_trait]
impl Backend for Sql {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        let found = fetch(query(&self.statements.get).bind(bytes(id)), &self.reads).await?;
        found.as_ref().map(row).transpose().map_err(failed)
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        inserts(with_row(&self.statements.insert, row).bind(bytes(id)), &self.writes).await
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let statement = if row.version > 0 {
            query(&self.statements.replace)
                .bind(i64::from(row.version))
                .bind(row.seen)
                .bind(row.seen)
                .bind(row.expires)
                .bind(row.expires)
                .bind(row.subject.map(|subject| subject.as_bytes().to_vec()))
                .bind(row.body.clone())
        } else {
            with_row(&self.statements.mark, row)
        };
        changes(statement.bind(bytes(id)).bind(i64::from(expected)).bind(row.seen), &self.writes).await
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let touch = query(&self.statements.touch).bind(seen).bind(seen).bind(expires).bind(expires);
        changes(touch.bind(bytes(id)).bind(seen), &self.writes).await
    }

    async fn remove(&self, id: &IdHash, expected: u32) -> Result<bool, StoreError> {
        let remove = query(&self.statements.remove).bind(bytes(id)).bind(i64::from(expected));
        changes(remove, &self.writes).await
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let rows = query(&self.statements.of_subject).bind(subject.as_bytes().to_vec());
        let rows = fetch_all(rows, &self.reads).await?;
        rows.iter().map(row_with_id).collect::<Result<_, _>>().map_err(failed)
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        Ok(execute(query(&self.statements.sweep).bind(now), &self.writes).await?.rows_affected())
    }

    async fn start(&self) -> Result<(), StoreError> {
        match self.make_tables().await {
            Ok(()) => Ok(()),
            // Another process may have made them at the same moment.
            Err(sqlx::Error::Database(_)) => self.make_tables().await.map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    async fn stop(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }

    fn leases(&self) -> Option<&dyn Leases> {
        self.leases.as_ref().map(|leases| leases as &dyn Leases)
    }
}

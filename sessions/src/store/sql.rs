//! Sessions in a table: all that SQLite, PostgreSQL and MySQL have in common. What differs is in a
//! [`Dialect`], one in the file of each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyQueryResult, AnyRow};
use sqlx::{AnyPool, ConnectOptions, Connection, Executor, Row as _, SqlStr};

use super::lock::LocalLocks;
use super::renewals::{end_through_renewals, end_until_none_is_left};
use super::row::{Row, saved};
use super::sql_dialect::{Dialect, Statement, Statements};
use super::sql_leases::Leases;
use super::undropped::{Ended, undropped, undropped_for};
use super::{Capabilities, Listed, Loaded, Lock, ROTATION_GRACE, Store, Written};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::id_hash::IdHash;
use crate::record::{Id, Record};

/// Connections at most, of each process.
const MOST_CONNECTIONS: u32 = 16;

/// A connection that has been idle for longer is tried before it is used: the server may have gone.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Keeps sessions in the table `sealed_sessions`, which it makes.
pub(super) struct SqlStore {
    dialect: &'static Dialect,
    statements: Statements,
    options: AnyConnectOptions,
    reads: AnyPool,
    writes: AnyPool,
    /// Is made before the database is opened.
    directory: Option<PathBuf>,
    /// Goes into the hash of a subject, so that lists of two realms in one database are two.
    realm: String,
    locks: LocalLocks,
    leases: Option<Leases>,
}

impl SqlStore {
    /// Connects nowhere yet. `directory` is where a database in a file is to lie.
    pub(super) fn new(
        url: &str,
        realm: &str,
        dialect: &'static Dialect,
        directory: Option<PathBuf>,
    ) -> Result<SqlStore, String> {
        sqlx::any::install_default_drivers();
        // The error may show the URL, and the URL a password.
        let options: AnyConnectOptions = url.parse().map_err(|_| "its address is not a URL".to_owned())?;
        let options = options.disable_statement_logging();
        let pool = |most| pool(most, dialect).connect_lazy_with(options.clone());
        let reads = pool(MOST_CONNECTIONS);
        let writes = if dialect.single_writer { pool(1) } else { reads.clone() };
        let leases = dialect.now.map(|now| Leases::new(writes.clone(), dialect, now));
        Ok(SqlStore {
            dialect,
            statements: Statements::new(dialect),
            options,
            reads,
            writes,
            directory,
            realm: realm.to_owned(),
            locks: LocalLocks::default(),
            leases,
        })
    }

    fn subject_hash(&self, subject: &str) -> Vec<u8> {
        let parts = [self.realm.as_bytes(), b"\0", subject.as_bytes()];
        parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().to_vec()
    }

    fn create(&self, id: &IdHash, record: &Record, until: UnixSeconds) -> Statement {
        self.bind_record(query(&self.statements.create).bind(bytes(id)), record, until)
    }

    /// Binds what `create` and `update` both set, in the order of their columns.
    fn bind_record(&self, statement: Statement, record: &Record, until: UnixSeconds) -> Statement {
        statement
            .bind(record.subject.as_deref().map(|subject| self.subject_hash(subject)))
            .bind(record.created)
            .bind(record.seen)
            .bind(i64::from(record.version))
            .bind(i64::from(record.remembered))
            .bind(record.signed_in)
            .bind(record.subject.as_ref().map(|subject| subject.clone().into_bytes()))
            .bind(record.data.clone().into_bytes())
            .bind(until)
    }

    /// Why a write over `id` met no row: another version, or none that lives.
    async fn obstacle(&self, id: &IdHash, now: UnixSeconds) -> Result<Written, StoreError> {
        let found = query(&self.statements.version).bind(bytes(id)).bind(now);
        Ok(match fetch_optional(found, &self.writes).await.map_err(failed)? {
            Some(_) => Written::Conflict,
            None => Written::Gone,
        })
    }

    /// Makes the tables unless they are there: the account of an app may be allowed no more than to use them.
    /// On a connection of its own, whose error says why there is none.
    async fn make_tables(&self) -> Result<(), sqlx::Error> {
        if let Some(directory) = &self.directory {
            make_private(directory)?;
        }
        let mut connection = self.options.connect().await?;
        let none = query(&self.statements.version).bind(vec![0; IdHash::BYTES]).bind(0_i64);
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

fn pool(most: u32, dialect: &'static Dialect) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(most)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
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

pub(super) fn query(statement: &SqlStr) -> Statement {
    sqlx::query(statement.clone())
}

// A connection that is dropped in the midst of a statement can be lost to its pool (seen with MySQL): so
// what was begun is ended.

pub(super) async fn execute(statement: Statement, pool: &AnyPool) -> Result<AnyQueryResult, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.execute(&pool).await }).await
}

async fn fetch_optional(statement: Statement, pool: &AnyPool) -> Result<Option<AnyRow>, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.fetch_optional(&pool).await }).await
}

async fn fetch_all(statement: Statement, pool: &AnyPool) -> Result<Vec<AnyRow>, sqlx::Error> {
    let pool = pool.clone();
    undropped(async move { statement.fetch_all(&pool).await }).await
}

fn bytes(id: &IdHash) -> Vec<u8> {
    id.as_bytes().to_vec()
}

fn one(result: &AnyQueryResult) -> bool {
    result.rows_affected() == 1
}

/// What the driver says may name the server and the account, and never shows a password or a parameter.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Failed(error.to_string().lines().collect::<Vec<_>>().join(" "))
}

pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.is_unique_violation())
}

/// The hash of an id that stands in a column.
fn id_in(row: &AnyRow, column: usize) -> Result<IdHash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    let bytes = bytes.try_into().map_err(|_| sqlx::Error::Decode("the hash of an id has 32 bytes".into()))?;
    Ok(IdHash::from_bytes(bytes))
}

/// The row, or none for the marker that a renewed id leaves behind.
fn read(row: &AnyRow) -> Result<Option<Row>, sqlx::Error> {
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

#[rocket::async_trait]
impl Store for SqlStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side: true, lists: true, locks: true }
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

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        let found = query(&self.statements.load).bind(bytes(&IdHash::of(&id))).bind(now);
        let Some(row) = fetch_optional(found, &self.reads).await.map_err(failed)? else {
            return Ok(Loaded::Missing);
        };
        Ok(match read(&row).map_err(failed)? {
            Some(row) => Loaded::Found(row.into_record(id)),
            None => Loaded::Superseded,
        })
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        match execute(self.create(&IdHash::of(&record.id), record, until), &self.writes).await {
            Ok(_) => Ok(saved(record)),
            Err(error) if is_taken(&error) => Ok(Written::Conflict),
            Err(error) => Err(failed(error)),
        }
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let update = self.bind_record(query(&self.statements.update), record, until);
        let update = update.bind(bytes(&id)).bind(i64::from(expected)).bind(record.seen);
        match one(&execute(update, &self.writes).await.map_err(failed)?) {
            true => Ok(saved(record)),
            false => self.obstacle(&id, record.seen).await,
        }
    }

    async fn rotate(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let (old, new) = (IdHash::of(old), IdHash::of(&record.id));
        let mark = query(&self.statements.mark)
            .bind(bytes(&new))
            .bind(record.seen.saturating_add(ROTATION_GRACE))
            .bind(bytes(&old))
            .bind(i64::from(expected))
            .bind(record.seen);
        let (create, writes) = (self.create(&new, record, until), self.writes.clone());
        let moved: Result<bool, sqlx::Error> = undropped_for(|waiter| async move {
            let mut transaction = writes.begin().await?;
            if !one(&mark.execute(&mut *transaction).await?) {
                transaction.rollback().await?;
                return Ok(false);
            }
            // What is dropped uncommitted is rolled back.
            create.execute(&mut *transaction).await?;
            if !waiter.is_there() {
                // Nobody would learn the new id, and the old one would be dead.
                transaction.rollback().await?;
                return Err(Ended.into());
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await;
        match moved {
            Ok(true) => Ok(saved(record)),
            Ok(false) => self.obstacle(&old, record.seen).await,
            Err(error) if is_taken(&error) => Ok(Written::Conflict),
            Err(error) => Err(failed(error)),
        }
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        let (touch, seen) = (query(&self.statements.touch), record.seen);
        let touch = touch.bind(seen).bind(seen).bind(until).bind(until);
        let touch = touch.bind(bytes(&IdHash::of(&record.id))).bind(record.seen);
        Ok(match one(&execute(touch, &self.writes).await.map_err(failed)?) {
            true => saved(record),
            false => Written::Gone,
        })
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        end_through_renewals(id, |id| async move {
            let delete = query(&self.statements.delete).bind(bytes(&id));
            if one(&execute(delete, &self.writes).await.map_err(failed)?) {
                return Ok(None);
            }
            let renewed = query(&self.statements.renewed).bind(bytes(&id));
            let marker = fetch_optional(renewed, &self.writes).await.map_err(failed)?;
            marker.map(|marker| id_in(&marker, 0)).transpose().map_err(failed)
        })
        .await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let list = query(&self.statements.list).bind(self.subject_hash(subject)).bind(now);
        let listed = |row: &AnyRow| {
            let id = id_in(row, 7)?;
            Ok(read(row)?.map(|row| row.into_listed(id)))
        };
        let rows = fetch_all(list, &self.reads).await.map_err(failed)?;
        rows.iter().filter_map(|row| listed(row).transpose()).collect::<Result<_, _>>().map_err(failed)
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        end_until_none_is_left(|| async {
            let mut listed = self.by_subject(subject, now).await?;
            listed.retain(|listed| Some(&listed.id) != except);
            // By their ids, as renewals go: two that take their locks in two orders end in a deadlock.
            for session in &listed {
                self.delete(&session.id).await?;
            }
            Ok(listed.len() as u64)
        })
        .await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let _lease = match &self.leases {
            Some(leases) => match leases.try_take(Leases::SWEEP).await? {
                Some(lease) => Some(lease),
                None => return Ok(0),
            },
            None => None,
        };
        let sweep = query(&self.statements.sweep).bind(now);
        Ok(execute(sweep, &self.writes).await.map_err(failed)?.rows_affected())
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        let Some(id) = IdHash::of_ticket(ticket) else { return Ok(Lock::new(())) };
        let turn = self.locks.lock(id).await;
        match &self.leases {
            Some(leases) => Ok(Lock::new(leases.take(*id.as_bytes(), turn).await?)),
            None => Ok(Lock::new(turn)),
        }
    }
}

//! Sessions in a table: all that SQLite, PostgreSQL and MySQL have in common. What differs is in a
//! [`Dialect`], one in the file of each.

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

use sha2::{Digest, Sha256};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, ConnectOptions, Connection, Executor};

use self::dialect::{Dialect, Statement, Statements};
use self::leases::Leases;
use self::query::{bytes, execute, failed, fetch_all, fetch_optional, id_in, is_taken, one, query, read};
use super::server::detached::{Ended, undropped_for};
use super::server::lock::LocalLocks;
use super::server::renewals::{end_through_renewals, end_until_none_is_left};
use super::server::row::saved;
use super::{Capabilities, Listed, Loaded, Lock, RENEWAL_GRACE, Store, Written};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

/// At most so many connections of each process.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that has been idle for longer is tried before it is used: the server may have gone.
const TRUST_INTERVAL: Duration = Duration::from_secs(1);

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
    fn new(
        url: &str,
        realm: &str,
        dialect: &'static Dialect,
        directory: Option<PathBuf>,
    ) -> Result<SqlStore, String> {
        sqlx::any::install_default_drivers();
        // The error may show the URL, and the URL a password.
        let options: AnyConnectOptions = url.parse().map_err(|_| "its address is not a URL".to_owned())?;
        let options = options.disable_statement_logging();
        let pool = |max| pool(max, dialect).connect_lazy_with(options.clone());
        let reads = pool(MAX_CONNECTIONS);
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

    fn create(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Statement {
        self.bind_record(query(&self.statements.create).bind(bytes(id)), record, expires)
    }

    /// Binds what `create` and `update` both set, in the order of their columns.
    fn bind_record(&self, statement: Statement, record: &Record, expires: UnixSeconds) -> Statement {
        statement
            .bind(record.subject.as_deref().map(|subject| self.subject_hash(subject)))
            .bind(record.created)
            .bind(record.seen)
            .bind(i64::from(record.version))
            .bind(i64::from(record.remembered))
            .bind(record.signed_in)
            .bind(record.subject.as_ref().map(|subject| subject.clone().into_bytes()))
            .bind(record.data.clone().into_bytes())
            .bind(expires)
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

fn pool(max: u32, dialect: &'static Dialect) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(max)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUST_INTERVAL {
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

    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        match execute(self.create(&IdHash::of(&record.id), record, expires), &self.writes).await {
            Ok(_) => Ok(saved(record)),
            Err(error) if is_taken(&error) => Ok(Written::Conflict),
            Err(error) => Err(failed(error)),
        }
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let update = self.bind_record(query(&self.statements.update), record, expires);
        let update = update.bind(bytes(&id)).bind(i64::from(expected)).bind(record.seen);
        match one(&execute(update, &self.writes).await.map_err(failed)?) {
            true => Ok(saved(record)),
            false => self.obstacle(&id, record.seen).await,
        }
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let (old, new) = (IdHash::of(old), IdHash::of(&record.id));
        let mark = query(&self.statements.mark)
            .bind(bytes(&new))
            .bind(record.seen.saturating_add(RENEWAL_GRACE))
            .bind(bytes(&old))
            .bind(i64::from(expected))
            .bind(record.seen);
        let (create, writes) = (self.create(&new, record, expires), self.writes.clone());
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

    async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        let (touch, seen) = (query(&self.statements.touch), record.seen);
        let touch = touch.bind(seen).bind(seen).bind(expires).bind(expires);
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

//! The connections of a process to its database.
//!
//! Not sqlx's own pool: that one asks the server after every statement whether it is still there, which doubles the
//! round trips.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::futures::future::BoxFuture;
use rocket::tokio::spawn;
use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use rocket::tokio::time::timeout;
use sqlx::{ConnectOptions, Connection, Database, Error, Executor};

use super::dialect::Dialect;
use super::faults::Fault;
use crate::store::server::detached::run_to_end;

/// A connection that has been idle for longer is tested before it is used: the server may have gone.
const TEST_INTERVAL: Duration = Duration::from_secs(1);

/// A connection that has been idle for longer is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// How long a statement may take, also when nobody waits for it any more: a server that vanished must not keep the
/// place of a connection.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads no row of a table that is there.
const PROBE: &str = "SELECT version FROM sealed_session_rows LIMIT 0";

type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// Connects when it has to. The connection that was used last is used next, so that no more are kept than are needed.
pub(super) struct Connections<DB: Database>(Arc<Shared<DB>>);

impl<DB: Database> Clone for Connections<DB> {
    fn clone(&self) -> Connections<DB> {
        Connections(Arc::clone(&self.0))
    }
}

struct Shared<DB: Database> {
    options: Options<DB>,
    dialect: &'static Dialect,
    places: Arc<Semaphore>,
    max: u32,
    /// The one that was used last is the last.
    idle: Mutex<Vec<Idle<DB>>>,
}

struct Idle<DB: Database> {
    connection: DB::Connection,
    since: Instant,
}

/// A connection in use.
struct Taken<DB: Database> {
    connection: DB::Connection,
    place: OwnedSemaphorePermit,
}

impl<DB> Connections<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// At most `max` connections. Connects nowhere yet.
    pub(super) fn new(options: Options<DB>, dialect: &'static Dialect, max: u32) -> Connections<DB> {
        let places = Arc::new(Semaphore::new(max as usize));
        Connections(Arc::new(Shared { options, dialect, places, max, idle: Mutex::default() }))
    }

    /// Runs a statement on a connection. It is run to its end: an answer that nobody has read makes a connection
    /// useless. Waiting for a connection ends with the caller.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DB::Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let mut taken = self.take().await?;
        let connections = self.clone();
        run_to_end(async move {
            let answer = timeout(STATEMENT_TIMEOUT, work(&mut taken.connection)).await;
            let answer = answer.unwrap_or_else(|_| Err(Error::Io(ErrorKind::TimedOut.into())));
            match &answer {
                // What one connection has lost, the others will have lost too.
                Err(error) if connections.0.dialect.fault(error) == Fault::Lost => connections.idle().clear(),
                _ => connections.give_back(taken),
            }
            answer
        })
        .await
    }

    async fn take(&self) -> Result<Taken<DB>, Error> {
        let places = Arc::clone(&self.0.places);
        let place = places.acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let last = self.idle().pop();
        if let Some(Idle { mut connection, since }) = last {
            if since.elapsed() < TEST_INTERVAL || connection.ping().await.is_ok() {
                return Ok(Taken { connection, place });
            }
            self.idle().clear();
        }
        Ok(Taken { connection: self.connect().await?, place })
    }

    /// A connection that is none of the others.
    async fn connect(&self) -> Result<DB::Connection, Error> {
        let mut connection = self.0.options.connect().await?;
        for statement in self.0.dialect.on_connect {
            connection.execute(*statement).await?;
        }
        Ok(connection)
    }

    fn give_back(&self, Taken { connection, place }: Taken<DB>) {
        let since = Instant::now();
        let mut idle = self.idle();
        idle.push(Idle { connection, since });
        let is_old = idle.first().is_some_and(|first| since - first.since > IDLE_TIMEOUT);
        let old = is_old.then(|| idle.remove(0));
        drop(idle);
        drop(place);
        if let Some(Idle { connection, .. }) = old {
            spawn(connection.close());
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<DB>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the tables, unless they are there: an app's account may not be allowed more than to use them.
    pub(super) async fn make_tables(&self) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        if connection.fetch_optional(PROBE).await.is_err() {
            for statement in self.0.dialect.schema {
                connection.execute(*statement).await?;
            }
        }
        connection.close().await
    }

    /// Waits until no connection is in use, and closes them. From then on there are none.
    pub(super) async fn close(&self) {
        let all = self.0.places.acquire_many(self.0.max).await;
        self.0.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            // It is of no use to anyone any more, closed or not.
            let _ = connection.close().await;
        }
    }
}

//! The connections of a process to its database.
//!
//! Not sqlx's own pool: that one asks the server after every statement whether it is still there, which doubles the
//! round trips.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rocket::futures::future::BoxFuture;
use rocket::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use rocket::tokio::time::timeout;
use rocket::tokio::{select, spawn};
use sqlx::{ConnectOptions, Connection, Database, Error, Executor};

use super::dialect::Dialect;
use super::faults::Fault;
use crate::store::server::detached::run_to_end;

/// A connection that has been idle for longer is tested before it is used. One that was lost earlier shows when it is
/// used, and the step is tried again.
const TEST_INTERVAL: Duration = Duration::from_secs(30);

/// A connection that has been idle for longer is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// At most so many connections are under way at once: when many requests come to an empty pool, the first connection
/// should be there soon.
const MAX_MAKING: u32 = 2;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a statement may take, also when nobody waits for it any more: a server that vanished must not keep the
/// place of a connection.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

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
    max: u32,
    /// A place for each connection that there may be.
    places: Arc<Semaphore>,
    /// A place for each connection that may be under way.
    making: Arc<Semaphore>,
    /// As many as there are idle connections, or more for a moment.
    ready: Semaphore,
    /// The one that was used last is the last.
    idle: Mutex<Vec<Kept<DB>>>,
}

struct Kept<DB: Database> {
    connection: DB::Connection,
    place: OwnedSemaphorePermit,
    /// When it was last used.
    since: Instant,
}

impl<DB: Database> Kept<DB> {
    async fn close(self) {
        // It is of no use to anyone any more, closed or not.
        let _ = self.connection.close().await;
        drop(self.place);
    }
}

impl<DB> Connections<DB>
where
    DB: Database,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// At most `max` connections. Connects nowhere yet.
    pub(super) fn new(options: Options<DB>, dialect: &'static Dialect, max: u32) -> Connections<DB> {
        let places = |max: u32| Arc::new(Semaphore::new(max as usize));
        Connections(Arc::new(Shared {
            options,
            dialect,
            max,
            places: places(max),
            making: places(MAX_MAKING),
            ready: Semaphore::new(0),
            idle: Mutex::default(),
        }))
    }

    /// Runs a statement on a connection. It is run to its end: an answer that nobody has read makes a connection
    /// useless. Waiting for a connection ends with the caller.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut DB::Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let mut kept = self.take().await?;
        let connections = self.clone();
        run_to_end(async move {
            let answer = within(STATEMENT_TIMEOUT, work(&mut kept.connection)).await;
            match &answer {
                // What one connection has lost, the others will have lost too.
                Err(error) if connections.0.dialect.fault(error) == Fault::Lost => connections.clear(),
                _ => connections.give(Kept { since: Instant::now(), ..kept }),
            }
            answer
        })
        .await
    }

    /// A connection that is idle, or the first one that becomes so.
    async fn take(&self) -> Result<Kept<DB>, Error> {
        loop {
            select! {
                biased;
                ready = self.0.ready.acquire() => ready.map_err(|_| Error::PoolClosed)?.forget(),
                made = self.make() => {
                    made?;
                    continue;
                }
            }
            let last = self.idle().pop();
            let Some(mut kept) = last else { continue };
            if kept.since.elapsed() < TEST_INTERVAL || kept.connection.ping().await.is_ok() {
                return Ok(kept);
            }
            self.clear();
        }
    }

    /// Makes one more connection, for whoever is first to take it. That goes on if the caller finds another one.
    async fn make(&self) -> Result<(), Error> {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let making = Arc::clone(&self.0.making).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let connections = self.clone();
        run_to_end(async move {
            let connection = within(CONNECT_TIMEOUT, connections.connect()).await?;
            connections.give(Kept { connection, place, since: Instant::now() });
            drop(making);
            Ok(())
        })
        .await
    }

    async fn connect(&self) -> Result<DB::Connection, Error> {
        let mut connection = self.0.options.connect().await?;
        for statement in self.0.dialect.on_connect {
            connection.execute(*statement).await?;
        }
        Ok(connection)
    }

    fn give(&self, kept: Kept<DB>) {
        if self.0.ready.is_closed() {
            spawn(kept.close());
            return;
        }
        let mut idle = self.idle();
        let is_old = idle.first().is_some_and(|first| kept.since - first.since > IDLE_TIMEOUT);
        let old = is_old.then(|| idle.remove(0));
        idle.push(kept);
        match old {
            // This one takes its place among those that are ready.
            Some(old) => drop(spawn(old.close())),
            None => self.0.ready.add_permits(1),
        }
    }

    /// Forgets the idle connections.
    fn clear(&self) {
        let mut idle = self.idle();
        // Before anybody can give one back, which would be forgotten with them.
        self.0.ready.forget_permits(idle.len());
        let lost = std::mem::take(&mut *idle);
        drop(idle);
        drop(lost);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Kept<DB>>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the tables, unless they are there: an app's account may not be allowed more than to use them.
    pub(super) async fn make_tables(&self) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        if connection.fetch_optional(self.0.dialect.probe).await.is_err() {
            for statement in self.0.dialect.schema {
                connection.execute(*statement).await?;
            }
        }
        connection.close().await
    }

    /// Closes the connections, those in use as soon as they are idle. From now on there are none.
    pub(super) async fn close(&self) {
        self.0.ready.close();
        let idle = std::mem::take(&mut *self.idle());
        for kept in idle {
            kept.close().await;
        }
        let all = self.0.places.acquire_many(self.0.max).await;
        self.0.places.close();
        drop(all);
    }
}

/// A database that does not answer in time has lost the connection.
async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(Error::Io(ErrorKind::TimedOut.into())))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use rocket::futures::future::join_all;
    use rocket::tokio::task::yield_now;
    use sqlx::Sqlite;

    use super::super::sqlite::SQLITE;
    use super::*;

    fn connections(max: u32) -> Connections<Sqlite> {
        Connections::new("sqlite::memory:".parse().unwrap(), &SQLITE, max)
    }

    fn held(connections: &Connections<Sqlite>) -> (usize, usize, usize) {
        let Shared { places, ready, max, .. } = &*connections.0;
        (connections.idle().len(), ready.available_permits(), *max as usize - places.available_permits())
    }

    #[rocket::async_test]
    async fn many_statements_take_turns_on_few_connections_also_while_these_are_lost() {
        let connections = connections(2);
        let statements = (0..200).map(|n| {
            let connections = connections.clone();
            spawn(async move {
                if n % 20 == 0 {
                    connections.clear();
                }
                connections.run(|connection| connection.execute("SELECT 1")).await.map(drop)
            })
        });
        let all = timeout(Duration::from_secs(30), join_all(statements)).await;
        assert!(all.expect("nobody waits for ever").into_iter().all(|done| done.unwrap().is_ok()));
        let settled = async {
            loop {
                let (idle, ready, places) = held(&connections);
                // One may still be under way for somebody who has found another.
                if (1..=2).contains(&idle) && idle == ready && idle == places {
                    return;
                }
                yield_now().await;
            }
        };
        let settled = timeout(Duration::from_secs(30), settled).await;
        assert!(settled.is_ok(), "idle, ready, places: {:?}", held(&connections));
    }

    #[rocket::async_test]
    async fn one_after_another_needs_one_connection() {
        let connections = connections(16);
        for _ in 0..20 {
            connections.run(|connection| connection.execute("SELECT 1")).await.unwrap();
        }
        assert_eq!(held(&connections), (1, 1, 1));
        connections.close().await;
        assert_eq!(held(&connections).0, 0);
        let closed = connections.run(|connection| connection.execute("SELECT 1")).await;
        assert!(matches!(closed, Err(Error::PoolClosed)), "{closed:?}");
    }

    #[rocket::async_test]
    async fn a_caller_that_gives_up_leaves_its_connection_to_the_next_one() {
        let connections = connections(1);
        let first = connections.run(|connection| connection.execute("SELECT 1"));
        // While it is being made, unless it is there at once.
        let _ = timeout(Duration::ZERO, first).await;
        connections.run(|connection| connection.execute("SELECT 1")).await.unwrap();
        assert_eq!(held(&connections), (1, 1, 1));
    }
}

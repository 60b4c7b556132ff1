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
use crate::store::server::detached::{run_to_end, run_to_end_for};

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

/// How long a connection that is tested may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// The time between two attempts to make one more connection, where the server refuses it and others are in use.
const PAUSE: Duration = Duration::from_millis(100);

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
    /// Each connection has a clone.
    made: Arc<()>,
    /// As many as there are idle connections, or more for a moment.
    ready: Semaphore,
    /// The one that was used last is the last.
    idle: Mutex<Vec<Kept<DB>>>,
}

pub(super) struct Kept<DB: Database> {
    connection: DB::Connection,
    place: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "counted")]
    made: Arc<()>,
    /// When it was last used.
    pub(super) since: Instant,
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
            made: Arc::new(()),
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
                    match made {
                        // The server has no place for one more: one that is in use will be idle soon.
                        Err(Error::Database(_)) if self.has_some() => sleep_or_ready(&self.0.ready).await,
                        made => made?,
                    }
                    continue;
                }
            }
            let last = self.idle().pop();
            let Some(kept) = last else { continue };
            if kept.since.elapsed() < TEST_INTERVAL {
                return Ok(kept);
            }
            if let Some(kept) = self.tested(kept).await {
                return Ok(kept);
            }
        }
    }

    /// Whether there are connections, idle or in use.
    fn has_some(&self) -> bool {
        Arc::strong_count(&self.0.made) > 1
    }

    /// The connection, if the server still answers on it; otherwise the idle ones are forgotten, since a connection that was
    /// dropped on the way is silent, and the others will be too. A caller that gives up earlier ends nothing of it, so that
    /// the next one need not wait as long.
    async fn tested(&self, mut kept: Kept<DB>) -> Option<Kept<DB>> {
        let connections = self.clone();
        run_to_end_for(|caller| async move {
            if within(PING_TIMEOUT, kept.connection.ping()).await.is_err() {
                connections.clear();
                return None;
            }
            if caller.is_waiting() {
                return Some(kept);
            }
            connections.give(Kept { since: Instant::now(), ..kept });
            None
        })
        .await
    }

    /// Makes one more connection, for whoever is first to take it. That goes on if the caller finds another one.
    async fn make(&self) -> Result<(), Error> {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let making = Arc::clone(&self.0.making).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let connections = self.clone();
        run_to_end(async move {
            let connection = within(CONNECT_TIMEOUT, connections.connect()).await?;
            let made = Arc::clone(&connections.0.made);
            connections.give(Kept { connection, place, made, since: Instant::now() });
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

    pub(super) fn idle(&self) -> MutexGuard<'_, Vec<Kept<DB>>> {
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

/// Waits until a connection may be idle, or a moment.
async fn sleep_or_ready(ready: &Semaphore) {
    // The permit goes back at once: whoever takes the connection acquires it anew.
    drop(timeout(PAUSE, ready.acquire()).await);
}

/// A database that does not answer in time has lost the connection.
async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(Error::Io(ErrorKind::TimedOut.into())))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::pin::pin;

    use rocket::futures::future::join_all;
    use rocket::tokio::sync::oneshot;
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

    /// A file that can be opened once has no place for a second connection.
    #[rocket::async_test]
    async fn a_connection_that_is_refused_is_waited_for_while_there_is_another() {
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let url = format!("sqlite:{}?mode=rw", file.display());
        let connections = Connections::<Sqlite>::new(url.parse().unwrap(), &SQLITE, 16);
        for lost in [false, true] {
            std::fs::write(&file, "").unwrap();
            let (go_on, wait) = oneshot::channel::<()>();
            let (is_held, held) = oneshot::channel();
            let holder = connections.clone();
            let first = spawn(async move {
                let work = holder.run(move |connection| {
                    Box::pin(async move {
                        connection.execute("SELECT 1").await?;
                        is_held.send(()).unwrap();
                        let _ = wait.await;
                        if lost { Err(Error::WorkerCrashed) } else { Ok(()) }
                    })
                });
                work.await
            });
            held.await.unwrap();
            std::fs::remove_file(&file).unwrap();
            let mut second = pin!(connections.run(|connection| connection.execute("SELECT 1")));
            assert!(timeout(3 * PAUSE, second.as_mut()).await.is_err(), "it waits");
            go_on.send(()).unwrap();
            let answer = timeout(Duration::from_secs(30), second).await.expect("it does not wait for ever");
            assert_eq!(answer.is_err(), lost, "{answer:?}");
            assert_eq!(first.await.unwrap().is_err(), lost);
        }
        let third = connections.run(|connection| connection.execute("SELECT 1")).await;
        assert!(matches!(third, Err(Error::Database(_))), "there is no other to wait for: {third:?}");
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

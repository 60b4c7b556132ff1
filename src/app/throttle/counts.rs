//! The counts of wrong passwords, in the accounts' database.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::bucket::{Bucket, Excess, Millis, millis};
use crate::app::data_dir::WRITE_TIMEOUT;

/// The most rows that are kept, to about a hundredth.
const MAX_ROWS: i64 = 100_000;
/// After how many attempts surplus rows are deleted.
const SWEEP_EVERY: u32 = 256;

/// Names a row.
pub(super) type Key = [u8; 16];

/// Something that attempts are counted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    pub(super) key: Key,
    pub(super) bucket: Bucket,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Counted<A> {
    /// It counts, and is to be made after this delay.
    Added { attempt: A, delay: Millis },
    /// It does not count, and may be made after so long.
    Refused(Millis),
}

/// What an attempt would change.
struct Decision {
    /// How long until it would be admitted; zero if it is.
    wait: Millis,
    delay: Millis,
    rows: Vec<Millis>,
}

/// The table of counts. Full of strangers' rows, it forgets those first that would be cleared first.
pub(super) struct Counts {
    pool: SqlitePool,
    attempts: AtomicU32,
}

impl Counts {
    /// Opens the table, which the migrations have made.
    pub(super) async fn open(file: &Path) -> Result<Counts, sqlx::Error> {
        // In WAL mode a power cut can take the latest counts away, but does no harm to the accounts in the same file.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(WRITE_TIMEOUT);
        // One connection: attempts of one process take turns here, where SQLite would let them poll.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITE_TIMEOUT)
            .connect_with(options)
            .await?;
        Ok(Counts { pool, attempts: AtomicU32::new(0) })
    }

    /// Counts an attempt for each of these, or for none if one of them refuses it. No other attempt of this process is
    /// counted or refused between the counting and `begin`.
    pub(super) async fn add<A>(
        &self,
        counters: &[Counter],
        now: Millis,
        begin: impl FnOnce() -> A,
    ) -> Result<Counted<A>, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        // Most of a flood is refused here, and keeps no other writer of the database waiting.
        let Decision { wait, .. } = decide(&mut connection, counters, now).await?;
        if wait > 0 {
            return Ok(Counted::Refused(wait));
        }
        // Another process may be as far: only the one that writes decides.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let Decision { wait, delay, rows } = decide(&mut transaction, counters, now).await?;
        if wait > 0 {
            return Ok(Counted::Refused(wait));
        }
        for (counter, clear_at) in counters.iter().zip(rows) {
            let upsert = "INSERT INTO throttle (key, clear_at) VALUES (?1, ?2)
                          ON CONFLICT (key) DO UPDATE SET clear_at = ?2";
            let upsert = sqlx::query(upsert).bind(counter.key.as_slice()).bind(clear_at);
            upsert.execute(&mut *transaction).await?;
        }
        if self.attempts.fetch_add(1, Relaxed).is_multiple_of(SWEEP_EVERY) {
            sweep(&mut transaction, now).await?;
        }
        let attempt = begin();
        transaction.commit().await?;
        Ok(Counted::Added { attempt, delay })
    }

    /// Undoes an attempt that was added for these.
    pub(super) async fn take_back(&self, counters: &[Counter]) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for counter in counters {
            let update = sqlx::query("UPDATE throttle SET clear_at = clear_at - ? WHERE key = ?");
            let update = update.bind(millis(counter.bucket.refill)).bind(counter.key.as_slice());
            update.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }
}

async fn decide(
    connection: &mut SqliteConnection,
    counters: &[Counter],
    now: Millis,
) -> Result<Decision, sqlx::Error> {
    let mut decision = Decision { wait: 0, delay: 0, rows: Vec::with_capacity(counters.len()) };
    for counter in counters {
        let select = sqlx::query_scalar("SELECT clear_at FROM throttle WHERE key = ?");
        let select = select.bind(counter.key.as_slice());
        let clear_at: Option<Millis> = select.fetch_optional(&mut *connection).await?;
        let added = counter.bucket.add(clear_at.unwrap_or(now), now);
        let longest = match counter.bucket.excess {
            Excess::Refused => &mut decision.wait,
            Excess::Delayed(_) => &mut decision.delay,
        };
        *longest = added.wait.max(*longest);
        decision.rows.push(added.clear_at);
    }
    Ok(decision)
}

/// Deletes the rows that are cleared, and of more than there may be those that will be cleared first.
async fn sweep(connection: &mut SqliteConnection, now: Millis) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM throttle WHERE clear_at <= ?").bind(now).execute(&mut *connection).await?;
    let surplus = "DELETE FROM throttle WHERE key IN (
                       SELECT key FROM throttle ORDER BY clear_at
                       LIMIT max(0, (SELECT count(*) FROM throttle) - ?))";
    sqlx::query(surplus).bind(MAX_ROWS).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocket::tokio::join;
    use rocket::tokio::time::sleep;
    use sqlx::AssertSqlSafe;
    use tempfile::TempDir;

    use super::*;

    const NOW: Millis = 1_800_000_000_000;
    const TEN: Bucket = Bucket { failures: 10, refill: Duration::from_secs(30), excess: Excess::Refused };

    async fn counts() -> (TempDir, Counts) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.db");
        std::fs::write(&file, "").unwrap();
        let counts = Counts::open(&file).await.unwrap();
        sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&counts.pool).await.unwrap();
        sqlx::raw_sql(include_str!("../../../migrations/0005_throttle.sql"))
            .execute(&counts.pool)
            .await
            .unwrap();
        (directory, counts)
    }

    async fn add(counts: &Counts, counters: &[Counter]) -> Counted<()> {
        counts.add(counters, NOW, || ()).await.unwrap()
    }

    const ADDED: Counted<()> = Counted::Added { attempt: (), delay: 0 };

    fn counter(key: u8) -> Counter {
        Counter { key: [key; 16], bucket: TEN }
    }

    #[rocket::async_test]
    async fn an_attempt_that_one_counter_refuses_counts_for_none() {
        let (_directory, counts) = counts().await;
        for _ in 0..10 {
            assert_eq!(add(&counts, &[counter(1)]).await, ADDED);
        }
        for _ in 0..20 {
            let both = add(&counts, &[counter(2), counter(1)]).await;
            assert_eq!(both, Counted::Refused(30_000));
        }
        assert_eq!(add(&counts, &[counter(2)]).await, ADDED);
    }

    #[rocket::async_test]
    async fn an_attempt_that_is_taken_back_never_was() {
        let (_directory, counts) = counts().await;
        for _ in 0..50 {
            assert_eq!(add(&counts, &[counter(1)]).await, ADDED);
            counts.take_back(&[counter(1)]).await.unwrap();
        }
    }

    #[rocket::async_test]
    async fn while_others_write_for_seconds_an_attempt_waits_for_its_turn() {
        let (directory, counts) = counts().await;
        let other = Counts::open(&directory.path().join("app.db")).await.unwrap();
        let held = other.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let end = async {
            sleep(Duration::from_secs(3)).await;
            held.rollback().await.unwrap();
        };
        let (first, second) = ([counter(1)], [counter(2)]);
        let (added, also_added, ()) = join!(add(&counts, &first), add(&counts, &second), end);
        assert_eq!((added, also_added), (ADDED, ADDED));
    }

    #[rocket::async_test]
    async fn strangers_from_100_000_addresses_fill_a_bounded_table_and_free_no_count_that_refuses() {
        let (_directory, counts) = counts().await;
        for _ in 0..10 {
            add(&counts, &[counter(1)]).await;
        }
        // Half of them are cleared by now, and more than fit are not.
        for clear_at in [NOW, NOW + 30_000] {
            let fill = format!(
                "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 110000)
                 INSERT INTO throttle SELECT randomblob(16), {clear_at} FROM n"
            );
            sqlx::raw_sql(AssertSqlSafe(fill)).execute(&counts.pool).await.unwrap();
        }
        for n in 0..SWEEP_EVERY {
            let mut stranger = counter(2);
            stranger.key[..4].copy_from_slice(&n.to_le_bytes());
            add(&counts, &[stranger]).await;
        }
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM throttle").fetch_one(&counts.pool).await.unwrap();
        assert!((1..=MAX_ROWS + i64::from(SWEEP_EVERY)).contains(&rows), "{rows} rows");
        assert_eq!(add(&counts, &[counter(1)]).await, Counted::Refused(30_000));
    }
}

//! Where the library takes the time from.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration as StdDuration, SystemTime};

use rocket::tokio::sync::Notify;
use rocket::tokio::time::sleep;
use time::{Duration, OffsetDateTime};

/// Seconds since 1970-01-01T00:00:00Z, as a record and a store keep them.
pub type UnixSeconds = i64;

/// How long [`Clock::reached`] sleeps at most: a clock that was set forward meanwhile is noticed then.
const MAX_SLEEP: UnixSeconds = 60;

/// The time as the sessions see it. Every expiry is decided by one of these and never by the browser.
#[rocket::async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> OffsetDateTime;

    /// The present moment in whole seconds, rounded down.
    fn seconds(&self) -> UnixSeconds {
        self.now().unix_timestamp()
    }

    /// Waits until it is this moment or later. Without an implementation of its own, a clock is looked at again when the
    /// difference has passed, and once a minute.
    async fn reached(&self, moment: UnixSeconds) {
        loop {
            let left = moment.saturating_sub(self.seconds());
            let Ok(left @ 1..) = u64::try_from(left.min(MAX_SLEEP)) else { return };
            sleep(StdDuration::from_secs(left)).await;
        }
    }
}

/// The machine's clock; what is used unless another is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        SystemTime::now().into()
    }

    fn seconds(&self) -> UnixSeconds {
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(_) => self.now().unix_timestamp(),
        }
    }
}

/// A clock that stands still until it is told otherwise, for tests and experiments.
///
/// ```
/// use sealed_sessions::Clock;
/// use sealed_sessions::testing::ManualClock;
/// use time::{Duration, OffsetDateTime};
///
/// let clock = ManualClock::at(OffsetDateTime::UNIX_EPOCH);
/// clock.advance(Duration::minutes(31));
/// assert_eq!(clock.now().unix_timestamp(), 31 * 60);
/// ```
#[derive(Debug)]
pub struct ManualClock {
    seconds: AtomicI64,
    moved: Notify,
}

impl ManualClock {
    /// A clock that shows `start`, in whole seconds.
    pub fn at(start: OffsetDateTime) -> Self {
        ManualClock { seconds: AtomicI64::new(start.unix_timestamp()), moved: Notify::new() }
    }

    /// Moves the clock on by `step`, in whole seconds; a negative step moves it back.
    pub fn advance(&self, step: Duration) {
        self.seconds.fetch_add(step.whole_seconds(), Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

#[rocket::async_trait]
impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        moment(self.seconds.load(Ordering::SeqCst))
    }

    /// Takes no time: the caller goes on when the clock is moved.
    async fn reached(&self, moment: UnixSeconds) {
        loop {
            // From before the look, so that no move is missed.
            let moved = self.moved.notified();
            if self.seconds() >= moment {
                return;
            }
            moved.await;
        }
    }
}

/// The public form of a record's time. Times beyond what a calendar can name are held at its ends.
pub(crate) fn moment(seconds: UnixSeconds) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(if seconds < 0 {
        time::PrimitiveDateTime::MIN.assume_utc()
    } else {
        time::PrimitiveDateTime::MAX.assume_utc()
    })
}

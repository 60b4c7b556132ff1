//! Where the library takes the time from.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use time::{Duration, OffsetDateTime};

/// Seconds since 1970-01-01T00:00:00Z, as a record and a store keep them.
pub type UnixSeconds = i64;

/// The time as the sessions see it. Every expiry is decided by one of these and never by the browser.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> OffsetDateTime;

    /// The present moment in whole seconds, rounded down.
    fn seconds(&self) -> UnixSeconds {
        self.now().unix_timestamp()
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
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`, in whole seconds.
    pub fn at(start: OffsetDateTime) -> Self {
        ManualClock(AtomicI64::new(start.unix_timestamp()))
    }

    /// Moves the clock on by `step`, in whole seconds; a negative step moves it back.
    pub fn advance(&self, step: Duration) {
        self.0.fetch_add(step.whole_seconds(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        moment(self.0.load(Ordering::SeqCst))
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

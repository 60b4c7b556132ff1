//! When a session ends: both limits, decided by the server from the record's own times and today's
//! settings, so that tightening a setting takes effect at once (rule 5; ASVS 5.0, 7.3.1 and 7.3.2).

use time::OffsetDateTime;

use super::clock::{UnixSeconds, moment};
use super::error::{Arrival, Invalid, Timeout};
use super::record::Record;

/// Clocks of two nodes may differ by this much; a record from further ahead is refused.
const TOLERATED_SKEW: UnixSeconds = 60;

/// Browsers keep no cookie for longer (RFC 6265bis).
const LONGEST_MAX_AGE: UnixSeconds = 400 * 24 * 60 * 60;

/// The two limits of a session, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// The longest pause between two requests.
    pub idle: UnixSeconds,
    /// The longest time since the session was opened, however busy it is.
    pub absolute: UnixSeconds,
}

/// The limits for each kind of session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// A session that has a subject.
    pub signed_in: Lifetime,
    /// A session without one.
    pub anonymous: Lifetime,
    /// A login that asked to be remembered.
    pub remembered: Lifetime,
}

/// When a session ends if nothing more happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Ends here without another request.
    pub idle: OffsetDateTime,
    /// Ends here in any case.
    pub absolute: OffsetDateTime,
}

impl Deadlines {
    /// The earlier of the two.
    pub fn earliest(&self) -> OffsetDateTime {
        self.idle.min(self.absolute)
    }
}

impl Lifetimes {
    /// The limits that hold for this record.
    pub fn of(&self, record: &Record) -> Lifetime {
        match (record.remembered, &record.subject) {
            (true, _) => self.remembered,
            (false, Some(_)) => self.signed_in,
            (false, None) => self.anonymous,
        }
    }

    /// Whether the session goes on at `now`: live is now − seen < idle and now − created < absolute.
    pub fn judge(&self, record: &Record, now: UnixSeconds) -> Arrival {
        let latest = now.saturating_add(TOLERATED_SKEW);
        if record.created > latest || record.seen > latest {
            return Arrival::Invalid(Invalid::Future);
        }
        let Lifetime { idle, absolute } = self.of(record);
        let (idle_end, absolute_end) =
            (record.seen.saturating_add(idle), record.created.saturating_add(absolute));
        match now < idle_end.min(absolute_end) {
            true => Arrival::Resumed,
            false if absolute_end < idle_end => Arrival::Expired(Timeout::Absolute),
            false => Arrival::Expired(Timeout::Idle),
        }
    }

    /// When the record ends, in seconds: what a store may take as the moment to forget it.
    pub fn end(&self, record: &Record) -> UnixSeconds {
        let Lifetime { idle, absolute } = self.of(record);
        record.seen.saturating_add(idle).min(record.created.saturating_add(absolute))
    }

    /// Both ends of the record.
    pub fn deadlines(&self, record: &Record) -> Deadlines {
        let Lifetime { idle, absolute } = self.of(record);
        Deadlines {
            idle: moment(record.seen.saturating_add(idle)),
            absolute: moment(record.created.saturating_add(absolute)),
        }
    }

    /// Whether `seen` is old enough to be renewed by a request that only reads (rule 3).
    pub(crate) fn renewal_due(&self, record: &Record, now: UnixSeconds) -> bool {
        let threshold = (self.of(record).idle / 10).min(60);
        now.saturating_sub(record.seen) > threshold
    }

    /// The cookie's Max-Age: what is left of the session, 400 days at most.
    pub(crate) fn max_age(&self, record: &Record, now: UnixSeconds) -> UnixSeconds {
        self.end(record).saturating_sub(now).clamp(0, LONGEST_MAX_AGE)
    }
}

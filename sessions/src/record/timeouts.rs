//! When a session expires. The server decides it, from the record's own times and today's settings, so that a
//! tighter setting takes effect at once (rule 5; ASVS 5.0, 7.3.1 and 7.3.2).

use time::OffsetDateTime;

use super::Record;
use crate::clock::{UnixSeconds, moment};
use crate::error::{Arrival, Invalid, Timeout};

/// The clocks of two nodes may differ by this much; a record from further ahead is refused.
pub(crate) const MAX_SKEW: UnixSeconds = 60;

/// Browsers keep no cookie for longer (RFC 6265bis).
const MAX_AGE_LIMIT: UnixSeconds = 400 * 24 * 60 * 60;

/// The two timeouts of a session, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest pause between two requests.
    pub idle: UnixSeconds,
    /// The longest time since the session was opened, or its subject last proved who they are, however busy it is.
    pub absolute: UnixSeconds,
}

impl Timeouts {
    /// When a session of these times expires.
    pub(crate) fn expires(&self, created: UnixSeconds, seen: UnixSeconds) -> Expires {
        Expires {
            idle: moment(seen.saturating_add(self.idle)),
            absolute: moment(created.saturating_add(self.absolute)),
        }
    }
}

/// When a session expires unless another request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expires {
    /// By its idle timeout: another request moves this.
    pub idle: OffsetDateTime,
    /// By its absolute timeout, whatever happens.
    pub absolute: OffsetDateTime,
}

impl Expires {
    /// The earlier of the two.
    pub fn earliest(&self) -> OffsetDateTime {
        self.idle.min(self.absolute)
    }
}

/// The timeouts of a realm, for each kind of session.
#[derive(Clone, Copy)]
pub(crate) struct RealmTimeouts {
    /// A session with a subject.
    pub(crate) signed_in: Timeouts,
    /// A session without one.
    pub(crate) anonymous: Timeouts,
    /// A login that asked to be remembered.
    pub(crate) remembered: Timeouts,
}

impl RealmTimeouts {
    /// The timeouts of this record.
    pub(crate) fn of(&self, record: &Record) -> Timeouts {
        self.of_kind(record.remembered, record.subject.is_some())
    }

    /// The timeouts of a session that is or is not remembered, and does or does not have a subject.
    pub(crate) fn of_kind(&self, is_remembered: bool, has_subject: bool) -> Timeouts {
        if is_remembered {
            self.remembered
        } else if has_subject {
            self.signed_in
        } else {
            self.anonymous
        }
    }

    /// The longest that any session may live.
    pub(crate) fn longest(&self) -> UnixSeconds {
        self.signed_in.absolute.max(self.anonymous.absolute).max(self.remembered.absolute)
    }

    /// Whether the session goes on at `now`: a live one has now − seen < idle and now − created < absolute.
    pub(crate) fn judge(&self, record: &Record, now: UnixSeconds) -> Arrival {
        let latest = now.saturating_add(MAX_SKEW);
        if record.created > latest || record.seen > latest {
            return Arrival::Invalid(Invalid::Future);
        }
        let Timeouts { idle, absolute } = self.of(record);
        let (idle_end, absolute_end) =
            (record.seen.saturating_add(idle), record.created.saturating_add(absolute));
        if now < idle_end.min(absolute_end) {
            Arrival::Resumed
        } else if absolute_end < idle_end {
            Arrival::Expired(Timeout::Absolute)
        } else {
            Arrival::Expired(Timeout::Idle)
        }
    }

    /// When the record expires, in seconds: from then on a store may forget it.
    pub(crate) fn expires(&self, record: &Record) -> UnixSeconds {
        let Timeouts { idle, absolute } = self.of(record);
        record.seen.saturating_add(idle).min(record.created.saturating_add(absolute))
    }

    /// Whether a request that only reads has to move `seen` (rule 3).
    pub(crate) fn touch_due(&self, record: &Record, now: UnixSeconds) -> bool {
        let interval = (self.of(record).idle / 10).min(60);
        now.saturating_sub(record.seen) > interval
    }

    /// The cookie's Max-Age: what is left of the absolute lifetime, 400 days at most. The browser still sends a
    /// session that was idle for too long, so that the visitor can be told.
    pub(crate) fn max_age(&self, record: &Record, now: UnixSeconds) -> UnixSeconds {
        let end = record.created.saturating_add(self.of(record).absolute);
        end.saturating_sub(now).clamp(0, MAX_AGE_LIMIT)
    }
}

//! Clocks that do not agree.

use std::sync::Arc;

use sealed_sessions::Clock;
use time::{Duration, OffsetDateTime};

/// Goes by another clock, but is ahead of it.
pub(super) struct Ahead {
    pub(super) of: Arc<dyn Clock>,
    pub(super) by: Duration,
}

impl Clock for Ahead {
    fn now(&self) -> OffsetDateTime {
        self.of.now().checked_add(self.by).unwrap_or_else(|| self.of.now())
    }
}

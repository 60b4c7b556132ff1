//! Clocks that disagree.

use std::sync::Arc;

use sealed_sessions::Clock;
use time::{Duration, OffsetDateTime};

/// Runs ahead of another clock.
pub(super) struct Ahead {
    pub(super) of: Arc<dyn Clock>,
    pub(super) by: Duration,
}

impl Clock for Ahead {
    fn now(&self) -> OffsetDateTime {
        self.of.now().checked_add(self.by).unwrap_or_else(|| self.of.now())
    }
}

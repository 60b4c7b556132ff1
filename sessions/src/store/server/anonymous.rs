//! The bound on anonymous sessions: visitors who never come back must not fill the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::rows::Rows;
use super::steps::Steps;
use crate::error::StoreError;

/// Counts the anonymous sessions that this process opens. Each time they are a tenth of the bound, those that were
/// used least recently go.
#[derive(Default)]
pub(super) struct AnonymousBound {
    opened: AtomicU64,
    is_trimming: AtomicBool,
}

impl AnonymousBound {
    /// Notes that an anonymous session was opened. The work is done aside: the request does not wait for it.
    pub(super) fn opened(self: &Arc<Self>, rows: &Arc<Rows>, steps: &Steps) {
        let Some((max, _)) = rows.anonymous_bound() else { return };
        let opened = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        if !opened.is_multiple_of((max / 10).max(1)) || self.is_trimming.swap(true, Ordering::AcqRel) {
            return;
        }
        let (bound, rows, steps) = (Arc::clone(self), Arc::clone(rows), steps.clone());
        rocket::tokio::spawn(async move {
            if let Err(error) = trim(&rows, &steps).await {
                log::warn!("the anonymous sessions of {:?} cannot be bounded: {error}", rows.namespace());
            }
            bound.is_trimming.store(false, Ordering::Release);
        });
    }
}

/// Removes the anonymous sessions beyond the bound; returns how many.
pub(super) async fn trim(rows: &Rows, steps: &Steps) -> Result<u64, StoreError> {
    match rows.anonymous_bound() {
        Some((max, anonymous)) => steps.take(|backend| backend.trim(anonymous, max)).await,
        None => Ok(0),
    }
}

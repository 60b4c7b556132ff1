//! The bound on anonymous sessions: visitors who never come back must not fill the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rocket::tokio::time::timeout;

use super::rows::Rows;
use super::steps::Steps;
use crate::error::StoreError;

/// How long it may take to remove what is beyond the bound. Nobody waits for it, so nobody else would give it up.
const TRIM_TIMEOUT: Duration = Duration::from_secs(60);

/// Counts the anonymous sessions that this process opens. Each time they are a tenth of the bound, those that were
/// used least recently go.
pub(super) struct AnonymousBound {
    opened: AtomicU64,
    is_trimming: AtomicBool,
    limit: Duration,
}

impl Default for AnonymousBound {
    fn default() -> AnonymousBound {
        AnonymousBound { opened: AtomicU64::new(0), is_trimming: AtomicBool::new(false), limit: TRIM_TIMEOUT }
    }
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
            let trimmed = timeout(bound.limit, trim(&rows, &steps)).await;
            if let Err(error) = trimmed.unwrap_or(Err(StoreError::TimedOut)) {
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

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use cookie::Key;
    use rocket::futures::future::pending;
    use rocket::tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::super::backend::{Backend, Row, SubjectHash};
    use super::super::seal::Sealer;
    use super::*;
    use crate::clock::UnixSeconds;
    use crate::cookie::keyring::{AppKey, Keyring, Rollover};
    use crate::record::id::IdHash;
    use crate::store::StoreOptions;

    /// Says when it is told to trim, and never answers.
    struct Silent(UnboundedSender<()>);

    #[rocket::async_trait]
    impl Backend for Silent {
        async fn get(&self, _: &IdHash) -> Result<Option<Row>, StoreError> {
            Ok(None)
        }

        async fn insert(&self, _: &IdHash, _: &Row) -> Result<bool, StoreError> {
            Ok(true)
        }

        async fn replace(&self, _: &IdHash, _: u32, _: &Row) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn touch(&self, _: &IdHash, _: UnixSeconds, _: UnixSeconds) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn remove(&self, _: &IdHash, _: RangeInclusive<u32>) -> Result<bool, StoreError> {
            Ok(false)
        }

        async fn of_subject(&self, _: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
            Ok(Vec::new())
        }

        async fn trim(&self, _: &SubjectHash, _: u64) -> Result<u64, StoreError> {
            self.0.send(()).unwrap();
            pending().await
        }
    }

    #[rocket::async_test]
    async fn a_trim_that_never_ends_keeps_no_later_one_from_its_work() {
        let key = AppKey::new(&Key::from(&[7; 64])).unwrap();
        let keyring = Keyring::new(Arc::new(key), &[], Rollover { length: None, lifetime: 0 }).unwrap();
        let rows = Arc::new(Rows::new("shop"));
        let sealer = Sealer::new(Arc::new(keyring));
        rows.set_options(StoreOptions { sealer, seal_at_rest: false, max_anonymous: Some(10) });
        let (sender, mut trims) = unbounded_channel();
        let steps = Steps::new(Silent(sender));
        let limit = Duration::from_millis(10);
        let bound = Arc::new(AnonymousBound { limit, ..AnonymousBound::default() });
        for _ in 0..3 {
            // One more visitor after another, until there is a trim.
            let trim = async {
                loop {
                    bound.opened(&rows, &steps);
                    if timeout(limit, trims.recv()).await.is_ok() {
                        return;
                    }
                }
            };
            timeout(Duration::from_secs(30), trim).await.expect("another one begins");
        }
    }
}

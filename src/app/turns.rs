//! Requests that change the same account take turns, first come, first served.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rocket::tokio::sync;

/// The accounts that are being changed by this process.
#[derive(Default)]
pub(super) struct Turns(Mutex<BTreeMap<i64, Weak<sync::Mutex<()>>>>);

/// Keeps the account's other requests waiting until it is dropped.
#[must_use]
pub(super) struct Turn(#[expect(dead_code, reason = "held for its Drop")] sync::OwnedMutexGuard<()>);

impl Turns {
    /// Waits for those that came before.
    pub(super) async fn wait(&self, account: i64) -> Turn {
        Turn(self.of(account).lock_owned().await)
    }

    fn of(&self, account: i64) -> Arc<sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&account).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, others| others.strong_count() > 0);
        let new = Arc::default();
        all.insert(account, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use rocket::futures::FutureExt;

    use super::*;

    #[rocket::async_test]
    async fn an_account_waits_for_itself_and_for_no_other_and_is_forgotten_afterwards() {
        let turns = Turns::default();
        let first = turns.wait(1).await;
        assert!(turns.wait(1).now_or_never().is_none());
        assert!(turns.wait(2).now_or_never().is_some());
        drop(first);
        assert!(turns.wait(1).now_or_never().is_some());
        let _other = turns.wait(3).await;
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}

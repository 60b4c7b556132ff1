//! Leases: locks that the processes of one store share, and that end by themselves when a process does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::runtime::Handle;
use rocket::tokio::time::{sleep, timeout};

use super::detached::{Ended, undropped};
use super::lock::LocalLock;
use crate::error::StoreError;

/// For how long a lease lasts unless it is given back. A handler that holds its session for longer is no
/// longer alone with it; what it then writes still meets the version check.
pub(in crate::store) const LEASE: Duration = Duration::from_secs(30);

/// How long a process that waits for another one's lease lets pass between two questions.
const PAUSE: Duration = Duration::from_millis(10);

type GivingBack = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// A lease that is given back when the last of its clones is dropped.
///
/// It is made before it is asked for: whoever stops half way gives back what may have been granted. To
/// give back what was not does no harm.
#[derive(Clone)]
pub(in crate::store) struct Lease(#[expect(dead_code, reason = "held for its Drop")] Arc<Held>);

struct Held {
    give_back: Option<Box<dyn FnOnce() -> GivingBack + Send + Sync>>,
    turn: Option<LocalLock>,
}

impl Lease {
    /// A lease that `give_back` gives back. `turn` is the caller's among those of this process, if there
    /// are turns.
    pub(in crate::store) fn new<F>(
        turn: Option<LocalLock>,
        give_back: impl FnOnce() -> F + Send + Sync + 'static,
    ) -> Lease
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let give_back = Box::new(|| -> GivingBack { Box::pin(give_back()) });
        Lease(Arc::new(Held { give_back: Some(give_back), turn }))
    }

    /// Asks until the store grants it.
    pub(in crate::store) async fn once_granted<E, F>(self, question: impl Fn() -> F) -> Result<Lease, E>
    where
        F: Future<Output = Result<bool, E>> + Send + 'static,
        E: From<Ended> + Send + 'static,
    {
        while !self.ask(question()).await? {
            sleep(PAUSE).await;
        }
        Ok(self)
    }

    /// Asks the store whether it grants this lease. Whoever asks may give up, and the store may grant it
    /// all the same: so it is not given back before the answer is there.
    pub(in crate::store) async fn ask<E: From<Ended> + Send + 'static>(
        &self,
        question: impl Future<Output = Result<bool, E>> + Send + 'static,
    ) -> Result<bool, E> {
        let lease = self.clone();
        let asked = async move {
            // By then it would be over: a server that vanished must not keep the next of this process out.
            let granted = timeout(LEASE, question).await;
            drop(lease);
            granted.unwrap_or_else(|_| Err(Ended.into()))
        };
        undropped(asked).await
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(give_back), Ok(runtime)) = (self.give_back.take(), Handle::try_current()) else { return };
        let turn = self.turn.take();
        runtime.spawn(async move {
            // Not given back, it ends by itself.
            let given_back = timeout(LEASE, give_back()).await.unwrap_or(Err(StoreError::TimedOut));
            if let Err(error) = given_back {
                log::warn!("a lease could not be given back and lasts {} seconds: {error}", LEASE.as_secs());
            }
            // The next of this process asks only now.
            drop(turn);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use rocket::tokio::sync::oneshot::channel;

    use super::*;

    #[rocket::async_test]
    async fn a_lease_that_is_granted_to_nobody_any_more_is_given_back() {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let note = |step| {
            let steps = Arc::clone(&steps);
            move || steps.lock().unwrap_or_else(PoisonError::into_inner).push(step)
        };
        let (granted, given_back) = (note("granted"), note("given back"));
        let (grant, question) = channel::<()>();
        let (done, end) = channel::<()>();
        let lease = Lease::new(None, || async move {
            given_back();
            done.send(()).map_err(|()| StoreError::TimedOut)
        });
        let asked = lease.ask(async move {
            question.await.map_err(|_| StoreError::TimedOut)?;
            granted();
            Ok::<_, StoreError>(true)
        });
        assert!(timeout(Duration::ZERO, asked).await.is_err(), "whoever asked has given up");
        drop(lease);
        grant.send(()).unwrap();
        end.await.unwrap();
        assert_eq!(*steps.lock().unwrap(), ["granted", "given back"]);
    }
}

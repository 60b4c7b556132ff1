//! Work that is ended although nobody waits for it any more.

use rocket::tokio::sync::oneshot::{Sender, channel};

use crate::error::StoreError;

/// Runs `work` on a task of its own, to its end: a request that gives up would otherwise leave a step of
/// several half done, or a connection in the midst of a statement.
pub(in crate::store) async fn undropped<V, E>(
    work: impl Future<Output = Result<V, E>> + Send + 'static,
) -> Result<V, E>
where
    V: Send + 'static,
    E: From<Ended> + Send + 'static,
{
    rocket::tokio::spawn(work).await.unwrap_or_else(|_| Err(Ended.into()))
}

/// As [`undropped`], for work that nobody may profit from once its request has been answered: it asks
/// [`Waiter`] before its last step.
pub(in crate::store) async fn undropped_for<V, E, F>(work: impl FnOnce(Waiter) -> F) -> Result<V, E>
where
    F: Future<Output = Result<V, E>> + Send + 'static,
    V: Send + 'static,
    E: From<Ended> + Send + 'static,
{
    let (waiter, _waits_until_dropped) = channel();
    undropped(work(Waiter(waiter))).await
}

/// Whoever began some work.
pub(in crate::store) struct Waiter(Sender<()>);

impl Waiter {
    /// Whether they still wait for it.
    pub(in crate::store) fn is_there(&self) -> bool {
        !self.0.is_closed()
    }
}

/// The work was ended with the process, or given up with its request.
pub(in crate::store) struct Ended;

impl From<Ended> for StoreError {
    fn from(_: Ended) -> StoreError {
        StoreError::Failed("it was given up".into())
    }
}

#[cfg(feature = "sql")]
impl From<Ended> for sqlx::Error {
    fn from(_: Ended) -> sqlx::Error {
        sqlx::Error::WorkerCrashed
    }
}

//! Work that is ended although nobody waits for it any more.

use super::StoreError;

/// Runs `work` on a task of its own, to its end: a request that gives up would otherwise leave a step of
/// several half done, or a connection in the midst of a statement.
pub(super) async fn undropped<V, E>(work: impl Future<Output = Result<V, E>> + Send + 'static) -> Result<V, E>
where
    V: Send + 'static,
    E: From<Ended> + Send + 'static,
{
    rocket::tokio::spawn(work).await.unwrap_or_else(|_| Err(Ended.into()))
}

/// The task was ended with the process.
pub(super) struct Ended;

impl From<Ended> for StoreError {
    fn from(_: Ended) -> StoreError {
        StoreError::Failed("the process is ending".into())
    }
}

#[cfg(feature = "sql")]
impl From<Ended> for sqlx::Error {
    fn from(_: Ended) -> sqlx::Error {
        sqlx::Error::WorkerCrashed
    }
}

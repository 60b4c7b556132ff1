//! Work that runs to completion even if its caller is cancelled.

use rocket::tokio::sync::oneshot::{Sender, channel};

use crate::error::StoreError;

/// Runs `work` to its end on a task of its own: a request that gives up would otherwise leave a step of several
/// half done. Work that nobody would profit from asks the [`Caller`] before its last step.
pub(in crate::store) async fn run_to_end<V, F>(work: impl FnOnce(Caller) -> F) -> Result<V, StoreError>
where
    F: Future<Output = Result<V, StoreError>> + Send + 'static,
    V: Send + 'static,
{
    let (caller, _waits_until_dropped) = channel();
    let done = rocket::tokio::spawn(work(Caller(caller))).await;
    done.unwrap_or_else(|_| Err(StoreError::Failed("it was given up".into())))
}

/// The request that waits for some work.
pub(in crate::store) struct Caller(Sender<()>);

impl Caller {
    /// Whether it still waits.
    pub(in crate::store) fn is_waiting(&self) -> bool {
        !self.0.is_closed()
    }
}

//! Work that runs to completion even if its caller is cancelled.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rocket::tokio::runtime::Handle;

/// Runs `work` to its end: a caller that gives up would otherwise leave a step of several half done. It moves to a
/// task of its own only then, so that ordinary work costs no task.
pub(in crate::store) fn run_to_end<F>(work: F) -> ToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    ToEnd { work: Some(Box::pin(work)), is_waiting: None }
}

/// As [`run_to_end`], for work that nobody would profit from alone: it asks the [`Caller`] before its last step.
pub(in crate::store) fn run_to_end_for<F>(work: impl FnOnce(Caller) -> F) -> ToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let is_waiting = Arc::new(AtomicBool::new(true));
    let caller = Caller(Arc::clone(&is_waiting));
    ToEnd { work: Some(Box::pin(work(caller))), is_waiting: Some(is_waiting) }
}

/// The caller that waits for some work.
pub(in crate::store) struct Caller(Arc<AtomicBool>);

impl Caller {
    /// Whether it still waits.
    pub(in crate::store) fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// See [`run_to_end`].
pub(in crate::store) struct ToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// `None` once it is done.
    work: Option<Pin<Box<F>>>,
    is_waiting: Option<Arc<AtomicBool>>,
}

impl<F> Future for ToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Taken out meanwhile, so that work that panics is not polled again.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let answer = work.as_mut().poll(context);
        if answer.is_pending() {
            self.work = Some(work);
        }
        answer
    }
}

impl<F> Drop for ToEnd<F>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        if let Some(is_waiting) = &self.is_waiting {
            is_waiting.store(false, Ordering::Release);
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rocket::tokio::sync::{Notify, mpsc};
    use rocket::tokio::time::timeout;

    use super::*;

    #[rocket::async_test]
    async fn work_whose_caller_gives_up_runs_to_its_end_and_knows() {
        let (steps, mut noted) = mpsc::unbounded_channel();
        let go_on = Arc::new(Notify::new());
        let (go_on_too, steps_too) = (Arc::clone(&go_on), steps.clone());
        let work = run_to_end_for(|caller| async move {
            steps_too.send(caller.is_waiting()).unwrap();
            go_on_too.notified().await;
            steps_too.send(caller.is_waiting()).unwrap();
        });
        assert!(timeout(Duration::ZERO, work).await.is_err(), "the caller has given up");
        assert_eq!(noted.recv().await, Some(true));
        go_on.notify_one();
        assert_eq!(noted.recv().await, Some(false));
    }
}

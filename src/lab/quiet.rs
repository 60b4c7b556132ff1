//! What the servers of experiments log: they meet faults on purpose, which is no news for an operator.

use std::cell::Cell;

use log::{Log, Metadata, Record};
use rocket::tokio::runtime::Builder;
use rocket::tokio::task::spawn_blocking;

thread_local! {
    static IS_AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// Whether what this thread logs is an experiment's.
pub fn is_experiment() -> bool {
    IS_AT_WORK.get()
}

/// Does work, and whatever it spawns, on a thread of its own, whose log can be told apart. What is left of it ends with it.
///
/// # Errors
/// When there is no thread for it.
pub async fn apart<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send + 'static) -> Result<(), String> {
    let done = spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
        IS_AT_WORK.set(true);
        runtime.block_on(work());
        drop(runtime);
        IS_AT_WORK.set(false);
        Ok(())
    });
    done.await.map_err(|error| error.to_string())?
}

struct Nothing;

impl Log for Nothing {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        false
    }

    fn log(&self, _record: &Record<'_>) {}

    fn flush(&self) {}
}

/// Lets nothing be logged from now on, unless this process has a log already.
pub(super) fn log_nothing() {
    let _ = log::set_boxed_logger(Box::new(Nothing));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[rocket::async_test]
    async fn what_work_spawns_is_apart_too_and_nothing_else_is() {
        let apart_in_all = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&apart_in_all);
        let work = move || async move {
            count.fetch_add(usize::from(is_experiment()), Ordering::SeqCst);
            let spawned = rocket::tokio::spawn(async { is_experiment() });
            count.fetch_add(usize::from(spawned.await.unwrap()), Ordering::SeqCst);
        };
        apart(work).await.unwrap();
        assert_eq!((apart_in_all.load(Ordering::SeqCst), is_experiment()), (2, false));
        assert!(!spawn_blocking(is_experiment).await.unwrap(), "the thread is as it was");
    }
}

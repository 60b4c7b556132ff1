//! Every log keeps the contract, and each clause of it finds a log that does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rocket::futures::StreamExt as _;
use rocket::futures::future::join_all;
use rocket::futures::stream::{BoxStream, pending};
use sealed_sessions::ledger::conformance::CLAUSES;
use sealed_sessions::ledger::{Hints, Line, Log, MemoryLog, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};

/// Checks every clause on the logs that `open` opens.
pub async fn check(open: impl Fn(&str) -> Arc<dyn Log> + Send + Sync + 'static) {
    let checked = join_all(CLAUSES.iter().map(|clause| clause.check(&open))).await;
    for (clause, outcome) in CLAUSES.iter().zip(checked) {
        assert_eq!(outcome, Ok(()), "{clause:?}");
    }
}

pub fn in_memory(log: impl Fn() -> Arc<dyn Log>) -> impl Fn(&str) -> Arc<dyn Log> {
    let logs: Mutex<HashMap<String, Arc<dyn Log>>> = Mutex::default();
    move |namespace: &str| {
        let mut logs = logs.lock().unwrap();
        Arc::clone(logs.entry(namespace.to_owned()).or_insert_with(&log))
    }
}

#[rocket::async_test]
async fn the_log_in_memory_keeps_the_contract() {
    let logs = in_memory(|| Arc::new(MemoryLog::default()));
    check(logs).await;
}

/// What a log can do wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    AppendsToNothing,
    ClaimsOverAnything,
    CutsBodies,
    LeavesGaps,
    Overwrites,
    IgnoresTheLimit,
    EachHasItsOwn,
    GivesAPositionTwice,
    IsLate,
    ForgetsTooMuch,
    ForgetsTheLast,
    SharesNamespaces,
    StartsAnew,
    TellsNobody,
}

/// A log in memory with a flaw.
struct Flawed {
    flaw: Flaw,
    inner: Mutex<Arc<MemoryLog>>,
    late: Mutex<Option<(u64, Line)>>,
}

impl Flawed {
    fn new(flaw: Flaw) -> Flawed {
        Flawed { flaw, inner: Mutex::default(), late: Mutex::default() }
    }

    fn inner(&self) -> Arc<MemoryLog> {
        self.inner.lock().unwrap().clone()
    }

    async fn last(&self) -> u64 {
        let lines = self.inner().read(0, usize::MAX).await.unwrap().lines;
        lines.last().map_or(0, |(position, _)| *position)
    }
}

#[rocket::async_trait]
impl Log for Flawed {
    async fn start(&self) -> Result<(), StoreError> {
        if self.flaw == Flaw::StartsAnew {
            *self.inner.lock().unwrap() = Arc::default();
        }
        Ok(())
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let limit = if self.flaw == Flaw::IgnoresTheLimit { usize::MAX } else { limit };
        let page = self.inner().read(from, limit).await;
        rocket::tokio::task::yield_now().await;
        // What was committed late comes to light below what others have read already.
        let late = self.late.lock().unwrap().take();
        if let Some(late) = late {
            self.inner().put(&[late]).await?;
        }
        page
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        if self.flaw == Flaw::ClaimsOverAnything {
            let held = self.inner().read(0, 0).await?.claim;
            return self.inner().claim(held.as_deref(), claim).await;
        }
        self.inner().claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        let mut line = line.clone();
        let last = self.last().await;
        match self.flaw {
            Flaw::AppendsToNothing if last == 0 => {
                self.inner().put(&[(1, line)]).await?;
                return Ok(Some(1));
            }
            Flaw::CutsBodies => line.body.truncate(100),
            Flaw::LeavesGaps => {
                self.inner().put(&[(last + 2, line)]).await?;
                return Ok(Some(last + 2));
            }
            Flaw::GivesAPositionTwice => {
                rocket::tokio::task::yield_now().await;
                self.inner().put(&[(last + 1, line)]).await?;
                return Ok(Some(last + 1));
            }
            Flaw::IsLate if line.body == 50_u32.to_be_bytes() => {
                self.inner().append(&line).await?;
                // Taken out again: it is there only once others have read what came after it.
                let lines = self.inner().read(0, usize::MAX).await?;
                let fresh = MemoryLog::default();
                let (late, rest) = lines.lines.split_last().unwrap();
                fresh.put(rest).await?;
                fresh.put(&[(late.0 + 1, Line { until: line.until, body: vec![9] })]).await?;
                *self.inner.lock().unwrap() = Arc::new(fresh);
                *self.late.lock().unwrap() = Some(late.clone());
                return Ok(Some(late.0));
            }
            _ => {}
        }
        self.inner().append(&line).await
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        if self.flaw == Flaw::Overwrites {
            let held = self.inner().read(0, usize::MAX).await?;
            let fresh = MemoryLog::default();
            fresh.put(lines).await?;
            fresh.put(&held.lines).await?;
            *self.inner.lock().unwrap() = Arc::new(fresh);
            return Ok(());
        }
        self.inner().put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        match self.flaw {
            Flaw::ForgetsTooMuch => self.inner().forget(now + 61).await,
            Flaw::ForgetsTheLast => {
                let held = self.inner().read(0, usize::MAX).await?;
                let fresh = MemoryLog::default();
                let kept: Vec<_> = held.lines.into_iter().filter(|(_, line)| now < line.until).collect();
                fresh.put(&kept).await?;
                *self.inner.lock().unwrap() = Arc::new(fresh);
                Ok(0)
            }
            _ => self.inner().forget(now).await,
        }
    }

    fn hints(&self) -> Option<&dyn Hints> {
        (self.flaw == Flaw::TellsNobody).then_some(self)
    }
}

#[rocket::async_trait]
impl Hints for Flawed {
    async fn send(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    async fn listen(&self) -> Result<BoxStream<'static, u64>, StoreError> {
        Ok(pending().boxed())
    }
}

/// The clauses that a log with this flaw breaks.
async fn broken(flaw: Flaw) -> Vec<&'static str> {
    let make = move || -> Arc<dyn Log> { Arc::new(Flawed::new(flaw)) };
    let shared = make();
    let by_namespace = in_memory(make);
    let open = move |namespace: &str| match flaw {
        Flaw::EachHasItsOwn => make(),
        Flaw::SharesNamespaces => Arc::clone(&shared),
        _ => by_namespace(namespace),
    };
    let mut broken = Vec::new();
    for clause in CLAUSES {
        if clause.check(&open).await.is_err() {
            broken.push(clause.name);
        }
    }
    broken
}

#[rocket::async_test]
async fn each_clause_finds_a_log_that_breaks_it() {
    for (clause, flaw) in CLAUSES.iter().zip([
        Flaw::AppendsToNothing,
        Flaw::ClaimsOverAnything,
        Flaw::CutsBodies,
        Flaw::LeavesGaps,
        Flaw::Overwrites,
        Flaw::IgnoresTheLimit,
        Flaw::EachHasItsOwn,
        Flaw::GivesAPositionTwice,
        Flaw::IsLate,
        Flaw::ForgetsTooMuch,
        Flaw::ForgetsTheLast,
        Flaw::SharesNamespaces,
        Flaw::StartsAnew,
        Flaw::TellsNobody,
    ]) {
        let broken = broken(flaw).await;
        assert!(broken.contains(&clause.name), "{flaw:?} breaks {broken:?}, not {clause:?}");
    }
    assert_eq!(CLAUSES.len(), 14, "a flaw for each clause");
}

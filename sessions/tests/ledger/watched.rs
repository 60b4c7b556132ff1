//! A log that a test watches, and does harm to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use sealed_sessions::ledger::{Line, Log, MemoryLog, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};

/// A log in memory, which can be away, be emptied, or be restored from an older copy.
pub struct Watched {
    inner: Mutex<Arc<MemoryLog>>,
    is_away: AtomicBool,
    /// What was asked by the test's own thread, which answers its requests. Nodes follow the log on others.
    calls: Mutex<Vec<&'static str>>,
    own: ThreadId,
    appends_are_lost: AtomicBool,
    is_slow: AtomicBool,
    /// Whether nothing is forgotten, as where the database's own clock says that it matters.
    keeps_all: AtomicBool,
    /// What another node appends before the next entry.
    earlier: Mutex<Option<Line>>,
    /// What another node has begun the log with before the next claim.
    meanwhile: Mutex<Option<Page>>,
}

impl Watched {
    pub fn new() -> Arc<Watched> {
        Arc::new(Watched {
            inner: Mutex::default(),
            is_away: AtomicBool::new(false),
            calls: Mutex::default(),
            own: thread::current().id(),
            appends_are_lost: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
            keeps_all: AtomicBool::new(false),
            earlier: Mutex::default(),
            meanwhile: Mutex::default(),
        })
    }

    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Has another node begin the log just before the next claim.
    pub fn meanwhile(&self, page: Page) {
        *self.meanwhile.lock().unwrap() = Some(page);
    }

    /// Has it forget nothing from now on, as a database whose own clock is right.
    pub fn keep_all(&self) {
        self.keeps_all.store(true, Ordering::SeqCst);
    }

    /// Has another node append this just before the next entry.
    pub fn before_the_next(&self, line: Line) {
        *self.earlier.lock().unwrap() = Some(line);
    }

    /// Whether others run while it is read.
    pub fn slow_down(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::SeqCst);
    }

    /// Whether what is appended is there although the answer is an error.
    pub fn lose_answers(&self, lose: bool) {
        self.appends_are_lost.store(lose, Ordering::SeqCst);
    }

    /// What requests have asked since the last call, but for the reading that follows what they have appended: the node
    /// may have read it by itself before.
    pub fn asked(&self) -> Vec<&'static str> {
        let calls = self.calls();
        let is_own = |at: usize| at > 0 && calls[at] == "read" && calls[at - 1] == "append";
        (0..calls.len()).filter(|at| !is_own(*at)).map(|at| calls[at]).collect()
    }

    /// What requests have asked since the last call.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// All that is in it.
    pub async fn page(&self) -> Page {
        self.inner().read(0, usize::MAX).await.unwrap()
    }

    /// Puts this in the place of all that is in it.
    pub async fn restore(&self, page: &Page) {
        let fresh = MemoryLog::default();
        if let Some(claim) = &page.claim {
            assert!(fresh.claim(None, claim).await.unwrap());
        }
        fresh.put(&page.lines).await.unwrap();
        *self.inner.lock().unwrap() = Arc::new(fresh);
    }

    pub fn inner(&self) -> Arc<MemoryLog> {
        self.inner.lock().unwrap().clone()
    }

    fn ask(&self, call: &'static str) -> Result<Arc<MemoryLog>, StoreError> {
        if thread::current().id() == self.own {
            self.calls.lock().unwrap().push(call);
        }
        if self.is_away.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("it is away".into()));
        }
        Ok(self.inner())
    }
}

#[rocket::async_trait]
impl Log for Watched {
    async fn start(&self) -> Result<(), StoreError> {
        self.ask("start").map(drop)
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let inner = self.ask("read")?;
        if self.is_slow.load(Ordering::SeqCst) {
            for _ in 0..100 {
                rocket::tokio::task::yield_now().await;
            }
        }
        inner.read(from, limit).await
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(page) = meanwhile {
            self.restore(&page).await;
        }
        self.ask("claim")?.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        let earlier = self.earlier.lock().unwrap().take();
        if let Some(earlier) = earlier {
            self.inner().append(&earlier).await?;
        }
        let appended = self.ask("append")?.append(line).await;
        if self.appends_are_lost.load(Ordering::SeqCst) {
            return Err(StoreError::Disconnected("the answer was lost".into()));
        }
        appended
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.ask("put")?.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let inner = self.ask("forget")?;
        if self.keeps_all.load(Ordering::SeqCst) { Ok(0) } else { inner.forget(now).await }
    }

    async fn stop(&self) {
        let _ = self.ask("stop");
    }
}

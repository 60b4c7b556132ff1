//! Reading what is new: in the background every second and on hints, and where a request needs it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rocket::tokio::join;
use rocket::tokio::time::{sleep, timeout};

use super::entry::{Entry, Line};
use super::identity::Identity;
use super::node::Ledger;
use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::error::StoreError;
use crate::events::{About, Kind};
use crate::record::timeouts::MAX_SKEW;

/// How often a node reads what is new.
const INTERVAL: Duration = Duration::from_secs(1);

/// The pause after each of these readings: however many hints come, there are at most 20 in a second.
const PAUSE: Duration = Duration::from_millis(50);

/// How many entries are read at once.
pub(super) const PAGE: usize = 10_000;

/// How often a reading may find that the log has lost entries, or was changed for another.
const MAX_ROUNDS: usize = 8;

/// What a reading has found.
pub(super) enum Found {
    /// All that there is.
    All,
    /// A log without a beginning.
    New,
    /// Entries that this node has read are gone.
    Lost,
    /// A log of another identity.
    Replaced(Vec<u8>, Identity),
    /// Another node has put back what the log had lost.
    Mended,
}

/// Follows the log for as long as the app serves.
pub(crate) async fn follow(ledger: Arc<Ledger>) {
    join!(read_again_and_again(&ledger), ledger.listen());
}

async fn read_again_and_again(ledger: &Ledger) {
    let mut is_away = false;
    loop {
        let _ = timeout(INTERVAL.saturating_sub(PAUSE), ledger.hint.notified()).await;
        let namespace = &ledger.namespace;
        let outcome = ledger.catch_up().await;
        ledger.terms.teller.tell(Kind::LedgerAge(ledger.age()), About::default());
        match outcome {
            Ok(()) if is_away => {
                log::info!("the ledger {namespace:?} answers again");
                is_away = false;
            }
            Ok(()) => {}
            Err(error) => {
                // Once what this node knows is too old, nobody can say whether a session goes on.
                ledger.changed.notify_waiters();
                if !is_away {
                    log::error!("the ledger {namespace:?} cannot be read: {error}");
                }
                is_away = true;
                sleep(INTERVAL).await;
            }
        }
        sleep(PAUSE).await;
    }
}

impl Ledger {
    /// Reads what is new. Callers who wait for one another share a reading that began after they came.
    ///
    /// # Errors
    /// When the log does not answer, or belongs to an app with other keys.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let before = self.begun.load(Ordering::SeqCst);
        self.read_unless(|last| last > before).await
    }

    /// Reads what is new unless this node knows everything up to `position` already.
    pub(super) async fn catch_up_to(&self, position: u64) -> Result<(), StoreError> {
        self.read_unless(|_| self.view().reached() >= position).await
    }

    /// Reads what is new unless what this node knows is recent enough.
    pub(super) async fn catch_up_if_old(&self) -> Result<(), StoreError> {
        self.read_unless(|_| self.is_current()).await
    }

    /// Reads what is new once it is the caller's turn, unless that is not needed any more.
    async fn read_unless(&self, is_done: impl Fn(u64) -> bool) -> Result<(), StoreError> {
        let mut last = self.reading.lock().await;
        if is_done(*last) {
            return Ok(());
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        self.read_on().await?;
        *last = number;
        Ok(())
    }

    /// Reads to the end, and mends what has been lost. One reading at a time.
    async fn read_on(&self) -> Result<(), StoreError> {
        for _ in 0..MAX_ROUNDS {
            // Before the reading: a cookie that comes meanwhile may be of a later position.
            let (began, highest) = (self.clock.seconds(), self.highest.load(Ordering::Relaxed));
            match self.read_rest().await? {
                Found::All if self.view().has_forgotten_too_much(began) => self.remember(began).await?,
                Found::All => match self.doubtful_below(highest) {
                    None => {
                        self.view_mut().read_at(began);
                        return Ok(());
                    }
                    Some(below) => self.end_all_below(below).await?,
                },
                Found::New => self.begin().await?,
                Found::Lost => self.mend().await?,
                Found::Replaced(claim, identity) => self.adopt(claim, identity),
                Found::Mended => self.compare().await?,
            }
        }
        Err(StoreError::Failed("the ledger changes faster than it can be read".into()))
    }

    /// Below which position sessions may have been ended by entries that are lost.
    fn doubtful_below(&self, highest: u64) -> Option<u64> {
        let view = self.view();
        let unreached = if highest > view.reached() { highest + 1 } else { 0 };
        let below = unreached.max(view.doubtful_below);
        (below > view.table.everyone_below()).then_some(below)
    }

    async fn read_rest(&self) -> Result<Found, StoreError> {
        let is_first = self.view().last.is_none();
        let mut was_mended = false;
        loop {
            let last = self.view().last.clone();
            let from = last.as_ref().map_or(0, |(position, _)| *position);
            let page = self.log.read(from, PAGE).await?;
            if let Some(found) = self.check_claim(page.claim).await? {
                return Ok(found);
            }
            let is_whole = page.lines.len() < PAGE;
            let Some(lines) = going_on(last, &page.lines, self.clock.seconds()) else {
                return Ok(if is_first { Found::New } else { Found::Lost });
            };
            was_mended |= self.take_in(lines);
            if is_whole {
                return Ok(if was_mended && !is_first { Found::Mended } else { Found::All });
            }
        }
    }

    /// Whether the log is the one that this node knows. The current key seals anew what a previous one did.
    async fn check_claim(&self, claim: Option<Vec<u8>>) -> Result<Option<Found>, StoreError> {
        let known = self.view().claim.clone();
        let Some(claim) = claim else {
            return Ok(Some(if known.is_some() { Found::Lost } else { Found::New }));
        };
        if known.as_ref().is_some_and(|(known, _)| *known == claim) {
            return Ok(None);
        }
        let Some((identity, age)) = Identity::open(&claim, &self.sealer, &self.namespace) else {
            return Err(StoreError::Refused(format!(
                "an app with other keys keeps its ledger under the namespace {:?}; give this one a namespace of its \
                 own, or that app's key as one of previous_keys",
                self.namespace
            )));
        };
        if known.is_some_and(|(_, known)| known != identity) {
            return Ok(Some(Found::Replaced(claim, identity)));
        }
        if age == KeyAge::Previous {
            let sealed = identity.sealed(&self.sealer, &self.namespace)?;
            self.log.claim(Some(&claim), &sealed).await?;
        }
        self.view_mut().claim = Some((claim, identity));
        Ok(None)
    }

    /// Reads the whole log, and hands over one page after another.
    pub(super) async fn read_all(
        &self,
        mut each: impl FnMut(&[(u64, Line)]) + Send,
    ) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let lines = self.log.read(from, PAGE).await?.lines;
            each(&lines);
            match lines.last() {
                Some((last, _)) if lines.len() >= PAGE => from = last.saturating_add(1),
                _ => return Ok(()),
            }
        }
    }

    /// Takes in entries; whether one says that the log was mended.
    pub(super) fn take_in(&self, lines: &[(u64, Line)]) -> bool {
        let (mut was_mended, mut has_unknown) = (false, false);
        let now = self.clock.seconds();
        let mut view = self.view_mut();
        for (position, line) in lines {
            match Entry::read(&line.body) {
                Some(entry) => {
                    was_mended |= entry == Entry::Mended;
                    view.table.apply(*position, entry, line.until, now);
                }
                None => has_unknown = true,
            }
        }
        if let Some(last) = lines.last() {
            // One who signs in while the log is read again is not to be sealed below what is known.
            if last.0 >= view.reached() {
                view.last = Some(last.clone());
            }
            self.changed.notify_waiters();
        }
        if has_unknown && !std::mem::replace(&mut view.has_said_unknown, true) {
            log::warn!(
                "the ledger {:?} has entries of a kind that this version does not know: they are kept, and not followed",
                self.namespace
            );
        }
        was_mended
    }
}

/// The entries that follow the last one that was read; `None` if that one is gone before its time, or there is none.
fn going_on(last: Option<(u64, Line)>, lines: &[(u64, Line)], now: UnixSeconds) -> Option<&[(u64, Line)]> {
    let (first, rest) = lines.split_first()?;
    let Some((position, line)) = last else { return Some(lines) };
    if first.0 == position {
        return (first.1 == line).then_some(rest);
    }
    // Another node's clock may be ahead.
    (line.until <= now.saturating_add(2 * MAX_SKEW)).then_some(lines)
}

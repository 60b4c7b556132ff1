//! What one node knows of the ledger, and what it enters.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use rocket::tokio::sync::{Mutex as AsyncMutex, Notify};

use super::announce::Announcer;
use super::bounded::BoundedLog;
use super::entry::Entry;
use super::identity::Identity;
use super::log::Log;
use super::table::Fate;
use super::view::View;
use crate::clock::{Clock, UnixSeconds};
use crate::data::Labels;
use crate::error::StoreError;
use crate::events::Teller;
use crate::record::Record;
use crate::record::id::Id;
use crate::record::timeouts::{MAX_SKEW, RealmTimeouts};
use crate::store::Sealer;

/// A log that was lost begins again above the highest position of any genuine cookie. A position above this, which no log
/// comes near by itself (they begin at the clock's milliseconds), is forged by somebody who has the key: a log that
/// followed it to the end of its numbers could not go on.
const MAX_POSITION: u64 = 1 << 62;

/// How often an entry is appended to a log that turns out to have lost some.
const MAX_TRIES: usize = 3;

/// How many renewals of one session are followed when it ends.
const MAX_RENEWALS: usize = 16;

/// What ends sessions of a realm of cookie sessions, as one node of the app has it.
pub struct Ledger {
    pub(super) log: Arc<BoundedLog>,
    announcer: Announcer,
    pub(super) namespace: String,
    pub(super) sealer: Sealer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) terms: Terms,
    view: RwLock<View>,
    /// Held while the log is read: the number of the last reading that came to its end.
    pub(super) reading: AsyncMutex<u64>,
    /// The number of readings that have begun.
    pub(super) begun: AtomicU64,
    /// The highest position that a genuine cookie was sealed at.
    pub(super) highest: AtomicU64,
    /// There is something to read.
    pub(super) hint: Notify,
    /// What this node knows has changed.
    pub(super) changed: Notify,
}

/// What a realm's settings say about its ledger.
pub(crate) struct Terms {
    pub(crate) timeouts: RealmTimeouts,
    /// How old what a node knows may be, in seconds.
    pub(crate) max_age: UnixSeconds,
    /// How long one call of the log may take.
    pub(crate) timeout: Duration,
    pub(crate) teller: Teller,
}

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    GoesOn,
    Ended,
    /// Its id was renewed within the grace.
    Superseded,
    /// What this node knows is too old to say.
    Unknown,
}

impl Ledger {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        namespace: &str,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        terms: Terms,
    ) -> Ledger {
        let log = Arc::new(BoundedLog::new(log, terms.timeout, terms.teller.clone()));
        Ledger {
            announcer: Announcer::new(Arc::clone(&log), namespace),
            log,
            namespace: namespace.to_owned(),
            sealer,
            clock,
            terms,
            view: RwLock::default(),
            reading: AsyncMutex::default(),
            begun: AtomicU64::new(0),
            highest: AtomicU64::new(0),
            hint: Notify::new(),
            changed: Notify::new(),
        }
    }

    /// Connects and reads all entries. Called again until it succeeds.
    ///
    /// # Errors
    /// When the log does not answer, or belongs to an app with other keys.
    pub async fn start(&self) -> Result<(), StoreError> {
        self.log.start().await?;
        self.catch_up().await
    }

    /// Closes the log's connections.
    pub async fn stop(&self) {
        self.announcer.finish().await;
        self.log.stop().await;
    }

    /// No code of a log runs while this is held, so it is held briefly.
    pub(super) fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view_mut(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position up to which this node knows everything; `None` before it has read the log.
    pub fn position(&self) -> Option<u64> {
        self.view().last.as_ref().map(|(position, _)| *position)
    }

    /// How many entries this node holds.
    pub fn entries(&self) -> usize {
        self.view().table.len()
    }

    /// Whether what this node knows is recent enough to let sessions with a subject go on.
    pub fn is_current(&self) -> bool {
        self.is_recent(&self.view(), self.clock.seconds())
    }

    /// A clock that was set back must not hide that the log is away.
    fn is_recent(&self, view: &View, now: UnixSeconds) -> bool {
        view.current_at.is_some_and(|at| now.abs_diff(at) <= self.terms.max_age.unsigned_abs())
    }

    /// Whether the session of a record goes on, as far as this node knows. Asks nobody.
    pub(super) fn judge(&self, record: &Record, now: UnixSeconds) -> Verdict {
        let view = self.view();
        let Some((_, identity)) = &view.claim else {
            return if record.subject.is_some() { Verdict::Unknown } else { Verdict::GoesOn };
        };
        match view.table.fate(identity.session(&record.id), now) {
            Fate::Ended => return Verdict::Ended,
            // It was renewed by a node that did not know of its end.
            Fate::Superseded if self.has_ended_by_handle(&view.table, identity, record) => {
                return Verdict::Ended;
            }
            Fate::Superseded => return Verdict::Superseded,
            Fate::GoesOn => {}
        }
        let Some(subject) = &record.subject else { return Verdict::GoesOn };
        let sealed_at = record.position.unwrap_or(0);
        if sealed_at > view.reached().max(MAX_POSITION)
            || view.table.has_ended_all(identity.subject(subject), sealed_at)
            || self.has_ended_by_handle(&view.table, identity, record)
        {
            return Verdict::Ended;
        }
        if sealed_at > view.reached() {
            self.highest.fetch_max(sealed_at, Ordering::Relaxed);
            self.hint.notify_one();
        }
        if self.is_recent(&view, now) { Verdict::GoesOn } else { Verdict::Unknown }
    }

    /// Whether the session of a record has ended by one of its labels, as far as this node knows.
    pub(crate) fn has_ended_labelled(&self, record: &Record, labels: &Labels<'_>) -> bool {
        if record.subject.is_none() || labels.iter().all(Option::is_none) {
            return false;
        }
        let view = self.view();
        let Some((_, identity)) = &view.claim else { return false };
        let sealed_at = record.position.unwrap_or(0);
        labels.iter().flatten().any(|label| view.table.has_ended_label(identity.label(label), sealed_at))
    }

    /// How old what this node knows is, in seconds; `None` before it has read the log.
    pub fn age(&self) -> Option<u64> {
        let current_at = self.view().current_at?;
        Some(self.clock.seconds().abs_diff(current_at))
    }

    /// Whether the id of a session was entered longer ago than the grace, as far as this node knows.
    pub(crate) fn has_long_ended(&self, id: &Id) -> bool {
        let view = self.view();
        let Some((_, identity)) = &view.claim else { return false };
        view.table.entered_at(identity.session(id)).is_some_and(|position| position <= view.settled())
    }

    /// Whether the id of a session has been entered, by a sign-in within the grace, say.
    pub(super) fn is_superseded(&self, id: &Id) -> bool {
        let (view, now) = (self.view(), self.clock.seconds());
        let Some((_, identity)) = &view.claim else { return false };
        view.table.fate(identity.session(id), now) == Fate::Superseded
    }

    /// Ends all sessions of a subject that were signed in before, and returns the position of the entry: a session
    /// that is sealed there goes on.
    ///
    /// # Errors
    /// When the log does not answer: they may go on.
    pub async fn end_subject(&self, subject: &str) -> Result<u64, StoreError> {
        self.enter(|identity| Entry::Subject { subject: identity.subject(subject) }, self.longest()).await
    }

    /// Ends all sessions with a [label](crate::SessionData::labels) that were signed in before, whatever their subject,
    /// and returns the position of the entry. None of them is spared, not even the caller's.
    ///
    /// # Errors
    /// When the log does not answer: they may go on.
    pub async fn end_label(&self, label: &str) -> Result<u64, StoreError> {
        self.enter(|identity| Entry::Label { label: identity.label(label) }, self.longest()).await
    }

    /// Ends all sessions of everyone that were signed in before, and returns the position of the entry.
    ///
    /// # Errors
    /// When the log does not answer: they may go on.
    pub async fn end_everyone(&self) -> Result<u64, StoreError> {
        self.enter(|_| Entry::Everyone, self.longest()).await
    }

    /// Ends the session of a record, and what it has become if it was renewed. An anonymous session has nothing that a
    /// copy of it could be used for, so none is entered: visitors must not fill the log.
    pub(super) async fn end(&self, record: &Record) -> Result<(), StoreError> {
        let session = |view: &View| view.claim.as_ref().map(|(_, identity)| identity.session(&record.id));
        if record.subject.is_some() {
            let entry = |identity: &Identity| Entry::Ended { session: identity.session(&record.id) };
            self.enter(entry, self.end_of(record)).await?;
        }
        let first = session(&self.view());
        self.end_renewed(first.map(|hash| self.renewed_to(hash)).unwrap_or_default()).await
    }

    fn renewed_to(&self, session: u64) -> Vec<u64> {
        self.view().table.renewed_to(session, self.clock.seconds()).to_vec()
    }

    /// Ends these sessions, and what they have become.
    pub(super) async fn end_renewed(&self, mut next: Vec<u64>) -> Result<(), StoreError> {
        let mut ended = 0;
        while let Some(hash) = next.pop() {
            if ended == MAX_RENEWALS {
                return Err(StoreError::outrun());
            }
            self.enter(|_| Entry::Ended { session: hash }, self.longest()).await?;
            next.extend(self.renewed_to(hash));
            ended += 1;
        }
        Ok(())
    }

    /// Enters that a session is another from now on. `false` if somebody else was first: it has ended or was renewed.
    pub(super) async fn renew(&self, old: &Record, new: &Record) -> Result<bool, StoreError> {
        let handles = self.handles_of(old);
        let entry = |identity: &Identity| Entry::Renewed {
            session: identity.session(&old.id),
            next: identity.session(&new.id),
            handles: handles.hashes(identity),
        };
        self.enter(entry, self.end_of(old)).await?;
        let (view, now) = (self.view(), self.clock.seconds());
        let Some((_, identity)) = &view.claim else { return Ok(false) };
        let (from, to) = (identity.session(&old.id), identity.session(&new.id));
        // A node that has not read it yet may have been asked to renew a session that has ended by its handle.
        let has_ended = old.subject.is_some() && self.has_ended_by_handle(&view.table, identity, old);
        Ok(view.table.has_become(from, to, now) && !has_ended)
    }

    /// Enters that a sign-in has opened a session in the place of another, which may be dead already.
    pub(super) async fn replace(&self, old: &Record, new: &Record) -> Result<(), StoreError> {
        let entry = |identity: &Identity| Entry::Replaced {
            session: identity.session(&old.id),
            next: identity.session(&new.id),
        };
        self.enter(entry, self.end_of(old)).await.map(drop)
    }

    /// Appends an entry and reads up to it, so that this node knows it, and what came before it.
    pub(super) async fn enter(
        &self,
        entry: impl Fn(&Identity) -> Entry + Send,
        until: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let (position, entry) = self.append(entry, until).await?;
        if let Err(error) = self.catch_up_to(position).await {
            self.view_mut().table.apply(position, entry, until, self.clock.seconds());
            self.changed.notify_waiters();
            return Err(error);
        }
        Ok(position)
    }

    async fn append(
        &self,
        entry: impl Fn(&Identity) -> Entry + Send,
        until: UnixSeconds,
    ) -> Result<(u64, Entry), StoreError> {
        for _ in 0..MAX_TRIES {
            let (entry, reached) = {
                let view = self.view();
                (view.claim.as_ref().map(|(_, identity)| entry(identity)), view.reached())
            };
            if let Some(entry) = entry
                && let Some(position) = self.log.append(&entry.line(until)).await?
                && position > reached
            {
                self.announcer.announce(position);
                return Ok((position, entry));
            }
            // It has not been read yet, or has lost what it had.
            self.catch_up().await?;
        }
        Err(StoreError::Failed("the ledger loses its entries".into()))
    }

    /// Until when the entry of a session has to be kept: its absolute end by any node's clock. A copy may have been
    /// used later than this record.
    fn end_of(&self, record: &Record) -> UnixSeconds {
        let end = record.created.saturating_add(self.terms.timeouts.of(record).absolute);
        // A dead session's entry has to be there for the grace.
        end.max(self.clock.seconds()).saturating_add(2 * MAX_SKEW)
    }

    /// Until when an entry has to be kept that ends sessions which are not known.
    pub(super) fn longest(&self) -> UnixSeconds {
        self.clock.seconds().saturating_add(self.terms.timeouts.longest()).saturating_add(2 * MAX_SKEW)
    }

    /// Forgets what no longer matters, here and in the log.
    pub(super) async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let due = self.view_mut().forget(now);
        self.log.forget(due).await
    }
}

/// Shows where it stands, but none of its entries.
impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("namespace", &self.namespace)
            .field("position", &self.position())
            .field("entries", &self.entries())
            .finish_non_exhaustive()
    }
}

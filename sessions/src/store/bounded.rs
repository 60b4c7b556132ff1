//! A store that a request never waits for too long.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rocket::tokio::sync::futures::Notified;
use rocket::tokio::time::timeout;

use super::server::lock::{LocalLock, LocalLocks};
use super::{Listed, Loaded, Lock, Page, Powers, Store, StoreError, StoreOptions, Write, Written};
use crate::clock::UnixSeconds;
use crate::events::{Call, Teller};
use crate::ledger::Ledger;
use crate::record::id::{Id, IdHash};
use crate::request::Kept;

/// How long a store may take to start, to sweep one batch, to give one page of all sessions, or to stop.
const SERVICE_TIMEOUT: Duration = Duration::from_secs(10);

/// A store whose every call is bounded, so that no caller can forget the bound.
pub(crate) struct BoundedStore {
    store: Arc<dyn Store>,
    /// What ends the sessions of a cookie store.
    ledger: Option<Arc<Ledger>>,
    teller: Teller,
    timeout: Duration,
    lock_timeout: Duration,
    /// Whether it has to be asked what has become of a session. The cookie store knows nothing of it, and a ledger tells.
    is_asked: bool,
    /// Where writes of one session that met a conflict wait for each other.
    queue: LocalLocks,
}

impl BoundedStore {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        ledger: Option<Arc<Ledger>>,
        teller: Teller,
        timeout: Duration,
        lock_timeout: Duration,
    ) -> BoundedStore {
        let is_asked = ledger.is_none() && (store.list().is_some() || store.service().is_some());
        BoundedStore { store, ledger, teller, timeout, lock_timeout, is_asked, queue: LocalLocks::default() }
    }

    pub(crate) fn ledger(&self) -> Option<&Arc<Ledger>> {
        self.ledger.as_ref()
    }

    /// The position in the ledger up to which this node knows everything.
    pub(crate) fn position(&self) -> Option<u64> {
        self.ledger.as_ref()?.position()
    }

    /// Reads what is new in the ledger, unless it is away already.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        match &self.ledger {
            Some(ledger) if ledger.is_current() => within(self.timeout, Box::pin(ledger.catch_up())).await,
            _ => Ok(()),
        }
    }

    /// Whether the server keeps the sessions. Only then can it list them.
    pub(crate) fn is_on_server(&self) -> bool {
        self.store.list().is_some()
    }

    /// What the server can do to the sessions.
    pub(crate) fn powers(&self) -> Powers {
        if self.ledger.is_none() && self.store.revoke().is_none() {
            Powers::Nothing
        } else if self.is_on_server() {
            Powers::Lists
        } else {
            Powers::Ends
        }
    }

    pub(crate) fn load<'a>(
        &'a self,
        ticket: &'a str,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Loaded, StoreError>> + Send + 'a {
        self.called(Call::Load, within(self.timeout, self.store.load(ticket, now)))
    }

    pub(crate) fn save<'a>(
        &'a self,
        write: &'a Write<'_>,
    ) -> impl Future<Output = Result<Written, StoreError>> + Send + 'a {
        self.called(Call::Save, within(self.timeout, self.store.save(write)))
    }

    pub(crate) async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        self.called(Call::End, within(self.timeout, self.store.delete(ticket))).await
    }

    /// Waits until no other write of this process that met a conflict is under way for the session.
    pub(crate) async fn queue(&self, id: &Id) -> Result<LocalLock, StoreError> {
        let turn = self.queue.lock(IdHash::of(id));
        timeout(self.lock_timeout, turn).await.map_err(|_| StoreError::TimedOut)
    }

    /// Waits for the session's lock; `None` if the store has no locks.
    pub(crate) async fn lock(&self, ticket: &str) -> Result<Option<Lock>, StoreError> {
        match self.store.locks() {
            Some(locks) => {
                let lock = within(self.lock_timeout, locks.lock(ticket));
                self.called(Call::Lock, lock).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The live sessions of a subject; `None` if the store cannot list.
    pub(crate) async fn of_subject(
        &self,
        subject: &str,
        now: UnixSeconds,
    ) -> Result<Option<Vec<Listed>>, StoreError> {
        match self.store.list() {
            Some(list) => {
                let listed = within(self.timeout, list.of_subject(subject, now));
                self.called(Call::List, listed).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Whether sessions can be ended without their tickets, in the store itself.
    pub(crate) fn can_end(&self) -> bool {
        self.store.revoke().is_some()
    }

    /// A page of everyone's live sessions; `None` if the store cannot go through them. Nobody waits for it but an
    /// operator.
    pub(crate) async fn page(&self, from: &[u8], now: UnixSeconds) -> Result<Option<Page>, StoreError> {
        match self.store.everyone() {
            Some(everyone) => within(SERVICE_TIMEOUT, everyone.page(from, now)).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether it can list the sessions of a subject, and end them.
    pub(crate) fn can_limit(&self) -> bool {
        self.store.list().is_some() && self.store.revoke().is_some()
    }

    /// What the session of a ticket has become within the grace; `None` too if the store cannot tell.
    pub(crate) async fn successor(
        &self,
        ticket: &str,
        now: UnixSeconds,
    ) -> Result<Option<IdHash>, StoreError> {
        match self.store.list() {
            Some(list) => within(self.timeout, list.successor(ticket, now)).await,
            None => Ok(None),
        }
    }

    /// Whether it has to be asked what has become of a session.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// What has become of a session that was kept.
    pub(crate) async fn look(&self, kept: &Kept, now: UnixSeconds) -> Result<Loaded, StoreError> {
        match (&self.ledger, &kept.ticket) {
            (Some(ledger), _) => ledger.look(&kept.record, now),
            (None, Some(ticket)) if self.is_asked() => self.load(ticket.text(), now).await,
            _ => Ok(Loaded::Found(kept.record.clone())),
        }
    }

    /// The next change of what this node knows of the ledger, from this moment on.
    pub(crate) fn news(&self) -> Option<Notified<'_>> {
        self.ledger.as_ref().map(|ledger| ledger.news())
    }

    /// Ends the session of a hash; `None` if the store cannot.
    pub(crate) async fn end(&self, id: &IdHash) -> Result<Option<()>, StoreError> {
        match self.store.revoke() {
            Some(revoke) => self.called(Call::End, within(self.timeout, revoke.end(id))).await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends a subject's sessions but one; `None` if the store cannot.
    pub(crate) async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<Option<EndedAll>, StoreError> {
        if let Some(ledger) = &self.ledger {
            let ended = Box::pin(ledger.end_subject(subject));
            return within(self.timeout, ended).await.map(|_| Some(EndedAll::Uncounted));
        }
        match self.store.revoke() {
            Some(revoke) => {
                let ended = within(self.timeout, revoke.end_all(subject, except, now));
                let ended = self.called(Call::End, ended).await?;
                Ok(Some(EndedAll::Sessions(ended)))
            }
            None => Ok(None),
        }
    }

    /// Whether the store has to be started, swept and stopped.
    pub(crate) fn has_service(&self) -> bool {
        self.store.service().is_some()
    }

    pub(crate) async fn start(&self) -> Result<(), StoreError> {
        match self.store.service() {
            Some(service) => within(SERVICE_TIMEOUT, service.start()).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        match self.store.service() {
            Some(service) => within(SERVICE_TIMEOUT, service.sweep(now)).await,
            None => Ok(0),
        }
    }

    pub(crate) async fn stop(&self) {
        if let Some(service) = self.store.service() {
            let _ = timeout(SERVICE_TIMEOUT, service.stop()).await;
        }
    }

    /// Tells how long a call takes, if anyone wants to know.
    async fn called<V>(&self, call: Call, answer: impl Future<Output = V>) -> V {
        let begun = self.teller.begin();
        let answer = answer.await;
        self.teller.called(call, begun);
        answer
    }

    /// Hands the store what its realm's settings ask of it, or returns the setting that it cannot follow. A store
    /// without a service has nothing to set.
    pub(crate) fn configure(&self, options: StoreOptions) -> Result<(), &'static str> {
        match self.store.service() {
            Some(service) => service.configure(options),
            None if options.seal_at_rest => Err("seal_at_rest"),
            None if options.max_anonymous.is_some() => Err("max_anonymous_sessions"),
            None => Ok(()),
        }
    }
}

/// What has ended of a subject's sessions.
pub(crate) enum EndedAll {
    /// So many sessions.
    Sessions(u64),
    /// All that there were. A ledger does not know how many.
    Uncounted,
}

impl EndedAll {
    /// How many, if that is known.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            EndedAll::Sessions(count) => Some(*count),
            EndedAll::Uncounted => None,
        }
    }
}

/// Waits for an answer, but no longer than `limit`. One that is there at once needs no timer.
async fn within<V>(
    limit: Duration,
    mut answer: impl Future<Output = Result<V, StoreError>> + Unpin,
) -> Result<V, StoreError> {
    match poll_fn(|context| Poll::Ready(Pin::new(&mut answer).poll(context))).await {
        Poll::Ready(answer) => answer,
        // On the heap, so that an answer that is there at once does not carry the room for a timer.
        Poll::Pending => Box::pin(timeout(limit, answer)).await.unwrap_or(Err(StoreError::TimedOut)),
    }
}

//! A sign-in among the other sessions of its subject, where `max_sessions` limits them.

use crate::clock::UnixSeconds;
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::events::{About, By, Kind, Name, RequestId};
use crate::failure::CommitError;
use crate::realm::Realm;
use crate::realm::max_sessions::{Beyond, MaxSessions};
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::request::Kept;
use crate::state::Base;
use crate::store::{Listed, Loaded, Lock};

/// The turn of a sign-in. Those of one subject come one after another, as far as the store has locks.
pub(crate) struct Turn<'r> {
    realm: &'r Realm,
    limit: MaxSessions,
    subject: String,
    request: Option<RequestId>,
    /// What an earlier click on the same button has opened: nobody has its cookie any more.
    twin: Option<IdHash>,
    /// Whether the subject gets one more session. Neither a second click nor a sign-in again does that.
    is_one_more: bool,
    #[expect(dead_code, reason = "held for its Drop")]
    lock: Option<Lock>,
}

impl<'r> Turn<'r> {
    /// Waits for the turn of a sign-in that came with this ticket. `own` is the session that it renews.
    ///
    /// # Errors
    /// When the sign-in is refused, since its subject has as many sessions as it may have. When the store cannot list them,
    /// also where the oldest would end: before anything is written, nothing is lost.
    pub(crate) async fn wait(
        realm: &'r Realm,
        limit: MaxSessions,
        request: Option<RequestId>,
        subject: &str,
        own: Option<&Record>,
        came_with: Option<&Ticket>,
        now: UnixSeconds,
    ) -> Result<Turn<'r>, CommitError> {
        let lock = realm.store.lock(&Id::of_turn(&realm.cookie.name, subject).to_text()).await?;
        let twin = match came_with {
            Some(ticket) => realm.store.successor(ticket.text(), now).await?,
            None => None,
        };
        let subject = subject.to_owned();
        let mut turn = Turn { realm, limit, subject, request, twin, is_one_more: true, lock };
        let listed = turn.listed(now).await?;
        if limit.beyond == Beyond::Refuse {
            let own = own.map(|own| IdHash::of(&own.id));
            turn.is_one_more = !listed.iter().any(|one| Some(one.id) == own || Some(one.id) == twin);
            if turn.is_one_more && listed.len() >= limit.max {
                return Err(CommitError::TooManySessions(limit.max));
            }
        }
        Ok(turn)
    }

    /// Holds the subject to the limit, now that the new session is kept. A fault of the store does not end that one: the
    /// session that it has renewed is gone, and the next sign-in ends what is too many.
    ///
    /// # Errors
    /// When the sign-in is refused after all, and the new session ended: another process has opened a session meanwhile, in
    /// a store whose locks are each process's own.
    pub(crate) async fn settle(&self, kept: &Kept, now: UnixSeconds) -> Result<(), CommitError> {
        let error = match self.hold(&IdHash::of(&kept.record.id), now).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Store(error)) => {
                self.realm.fault(
                    self.request,
                    "end the sessions beyond max_sessions, which go on until the next sign-in",
                    &error,
                );
                return Ok(());
            }
            Err(error) => error,
        };
        if let Some(ticket) = &kept.ticket
            && let Err(error) = self.realm.store.delete(ticket.text()).await
        {
            self.realm.fault(self.request, "end one session more than max_sessions", &error);
        }
        Err(error)
    }

    async fn hold(&self, own: &IdHash, now: UnixSeconds) -> Result<(), CommitError> {
        let mut others = self.listed(now).await?;
        others.retain(|one| one.id != *own);
        let room = self.limit.max.saturating_sub(1);
        let refuses = self.limit.beyond == Beyond::Refuse;
        if refuses && self.is_one_more && others.len() > room {
            return Err(CommitError::TooManySessions(self.limit.max));
        }
        // The twin first, then the oldest.
        others.sort_unstable_by_key(|one| (Some(one.id) != self.twin, one.created, one.seen, one.id));
        let twins = usize::from(others.first().is_some_and(|first| Some(first.id) == self.twin));
        let count = if refuses { twins } else { others.len().saturating_sub(room).max(twins) };
        for one in others.iter().take(count) {
            self.realm.store.end(&one.id).await?;
            let (subject, request) = (Some(&*self.subject), self.request);
            let about = About { session: Some(Name::Hash(&one.id)), subject, request, ..About::default() };
            self.realm.teller.tell(Kind::Ended(By::Limit), about);
        }
        Ok(())
    }

    async fn listed(&self, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        Ok(self.realm.store.of_subject(&self.subject, now).await?.unwrap_or_default())
    }
}

/// Whether a sign-in that finds its session gone opens another: the session was renewed by another sign-in, or nobody
/// was signed in. One that somebody has signed out of stays ended.
pub(crate) fn may_sign_in<T>(base: &Base<T>, lost: &Loaded) -> bool {
    matches!(lost, Loaded::Superseded(_)) || base.record.subject.is_none()
}

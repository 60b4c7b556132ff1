//! The other sessions of a session's subject: what lists and ends them.

use super::session::Session;
use crate::data::SessionData;
use crate::error::{SessionError, StoreError};
use crate::events::{About, By, Kind, Name};
use crate::ledger::{EndedOthers, Ledger, Own};
use crate::record::id::IdHash;
use crate::request::Owner;
use crate::state::KeptAt;
use crate::store::Listed;

impl<T: SessionData> Session<'_, T> {
    /// The other live sessions of this session's subject, in no order; none while nobody is signed in. After a sign-in in the
    /// same request the subject is the one that signed in. `None` if the store cannot list sessions, as the cookie store cannot.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn others(&self) -> Result<Option<Vec<Other>>, SessionError> {
        let Some(owner) = self.request.owner() else {
            return Ok(self.realm.store.is_on_server().then(Vec::new));
        };
        let listed = self.realm.store.of_subject(&owner.subject, self.request.now).await;
        let listed = listed.map_err(|error| self.unavailable("list the sessions of a subject", &error))?;
        let other = |listed: Listed| Other { handle: self.realm.keyring.handle(&listed.id), listed };
        let own = owner.id();
        Ok(listed.map(|all| all.into_iter().filter(|one| Some(one.id) != own).map(other).collect()))
    }

    /// Ends one other session of this session's subject, by the handle that [`Session::others`] lists it with (ASVS
    /// 5.0, 7.5.2). `false` if the subject has no other session of this name; it may have ended already. `None` if the
    /// store cannot list sessions.
    ///
    /// # Errors
    /// When the store does not answer: it may live on.
    pub async fn end_other(&self, handle: &str) -> Result<Option<bool>, SessionError> {
        let Some(others) = self.others().await? else { return Ok(None) };
        let named = |other: &Other| self.realm.keyring.owns_handle(&other.listed.id, handle);
        let Some(other) = others.into_iter().find(named) else { return Ok(Some(false)) };
        let ended = self.realm.store.end(&other.listed.id).await;
        let ended = ended.map_err(|error| self.unavailable("end a session", &error))?;
        if ended.is_some() {
            let subject = self.request.owner().map(|owner| owner.subject);
            self.tell(Kind::Ended(By::Subject), Some(&other.listed.id), subject.as_deref());
        }
        Ok(ended.map(|()| true))
    }

    /// Ends the other sessions of this session's subject, at once, and says how many there were (ASVS 5.0, 7.4.3).
    ///
    /// With a [ledger](crate::ledger) this session gets a new id. If the response is a 5xx it ends too, since such a
    /// response renews no session. If this session has ended while the request was under way it stays ended; and if it
    /// ended with all others of its subject, it ends none of those that were signed in since.
    ///
    /// # Errors
    /// When the store does not answer: some may live on.
    pub async fn end_others(&self) -> Result<Ended, SessionError> {
        let store = &self.realm.store;
        let Some(owner) = self.request.owner() else {
            return Ok(match store.ledger() {
                Some(_) => Ended::Uncounted,
                None if store.is_on_server() => Ended::Sessions(0),
                None => Ended::Unable,
            });
        };
        let ended = match store.ledger() {
            Some(ledger) => self.enter_end_of_others(ledger, &owner).await,
            None => self.end_others_in_store(&owner).await,
        };
        ended.map_err(|error| self.unavailable("end the sessions of a subject", &error))
    }

    async fn end_others_in_store(&self, owner: &Owner<T>) -> Result<Ended, StoreError> {
        let id = owner.id();
        let ended = self.realm.store.end_all(&owner.subject, id.as_ref(), self.request.now).await?;
        let Some(ended) = ended else { return Ok(Ended::Unable) };
        let kind = Kind::AllEnded { by: By::Subject, count: ended.count() };
        self.tell(kind, id.as_ref(), Some(&owner.subject));
        Ok(ended.count().map_or(Ended::Uncounted, Ended::Sessions))
    }

    async fn enter_end_of_others(&self, ledger: &Ledger, owner: &Owner<T>) -> Result<Ended, StoreError> {
        let own = Own {
            subject: &owner.subject,
            loaded: owner.loaded.as_ref(),
            labels: owner.data.labels(),
            sealed_at: owner.sealed_at,
            is_proven: owner.is_proven,
        };
        if let Some(EndedOthers { position, goes_on }) = Box::pin(ledger.end_others(&own)).await? {
            let kind = Kind::AllEnded { by: By::Subject, count: None };
            self.tell(kind, owner.id().as_ref(), Some(&owner.subject));
            if goes_on {
                self.request.keep_at(KeptAt { subject: owner.subject.clone(), position });
            }
        }
        Ok(Ended::Uncounted)
    }

    fn unavailable(&self, what: &str, error: &StoreError) -> SessionError {
        self.realm.fault(self.request.request_id, what, error);
        SessionError::Unavailable
    }

    /// Tells that other sessions of this one's subject have ended.
    fn tell(&self, kind: Kind, session: Option<&IdHash>, subject: Option<&str>) {
        let (session, request) = (session.map(Name::Hash), self.request.request_id);
        self.realm.teller.tell(kind, About { session, subject, request, ..About::default() });
    }
}

/// Another session of the same subject, as [`Session::others`] lists it, or one of those that a
/// [`RealmOperator`](crate::operator::RealmOperator) lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Other {
    /// Its name for people, logs and [`Session::end_other`]: a keyed hash. It is no credential.
    pub handle: String,
    /// What the store has of it.
    pub listed: Listed,
}

/// What [`Session::end_others`] has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "with cookies alone nothing has ended: handle Ended::Unable"]
pub enum Ended {
    /// So many sessions, all that there were.
    Sessions(u64),
    /// All that there were. A ledger does not know how many.
    Uncounted,
    /// None: the store cannot end them, as the cookie store without a ledger cannot.
    Unable,
}

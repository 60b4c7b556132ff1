//! The other sessions of a session's subject: what lists and ends them.

use super::session::Session;
use crate::data::SessionData;
use crate::error::{SessionError, StoreError};
use crate::events::{About, By, Kind, Name};
use crate::load::is_ended_by_label;
use crate::record::Record;
use crate::record::id::IdHash;
use crate::state::Base;
use crate::store::Listed;
use crate::store::bounded::EndedAll;

impl<T: SessionData> Session<'_, T> {
    /// The other live sessions of this session's subject, in no order; none while nobody is signed in. `None` if
    /// the store cannot list sessions, as the cookie store cannot.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn others(&self) -> Result<Option<Vec<Other>>, SessionError> {
        let (id, subject) = self.own();
        let Some(subject) = subject else { return Ok(self.realm.store.is_on_server().then(Vec::new)) };
        let listed = self.realm.store.of_subject(&subject, self.request.now).await;
        let listed = listed.map_err(|error| self.unavailable("list the sessions of a subject", &error))?;
        let other = |listed: Listed| Other { handle: self.realm.keyring.handle(&listed.id), listed };
        Ok(listed.map(|all| all.into_iter().filter(|one| Some(one.id) != id).map(other).collect()))
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
            let (_, subject) = self.own();
            self.tell(Kind::Ended(By::Subject), Some(&other.listed.id), subject.as_deref());
        }
        Ok(ended.map(|()| true))
    }

    /// Ends the other sessions of this session's subject, at once, and says how many there were (ASVS 5.0, 7.4.3).
    ///
    /// With a [ledger](crate::ledger) this session gets a new id. If the response is a 5xx it ends too, since such a
    /// response renews no session.
    ///
    /// # Errors
    /// When the store does not answer: some may live on.
    pub async fn end_others(&self) -> Result<Ended, SessionError> {
        let store = &self.realm.store;
        let (id, subject) = self.own();
        let Some(subject) = subject else {
            return Ok(match store.ledger() {
                Some(_) => Ended::Uncounted,
                None if store.is_on_server() => Ended::Sessions(0),
                None => Ended::Unable,
            });
        };
        let ended = store.end_all(&subject, id.as_ref(), self.request.now).await;
        let ended = ended.map_err(|error| self.unavailable("end the sessions of a subject", &error))?;
        let Some(ended) = ended else { return Ok(Ended::Unable) };
        let kind = Kind::AllEnded { by: By::Subject, count: ended.count() };
        self.tell(kind, id.as_ref(), Some(&subject));
        match ended {
            EndedAll::Sessions(count) => Ok(Ended::Sessions(count)),
            EndedAll::Below(position) => {
                // One that a label has ended meanwhile must not be sealed above that.
                let ended = |base: &Base<T>| is_ended_by_label(self.realm, &base.record, &*base.data);
                if self.request.with_base(ended) != Some(true) {
                    self.request.keep_at(position);
                }
                Ok(Ended::Uncounted)
            }
        }
    }

    /// The hash of this session's id, and its subject, as it was loaded.
    fn own(&self) -> (Option<IdHash>, Option<String>) {
        let own = |record: &Record| (Some(IdHash::of(&record.id)), record.subject.clone());
        self.request.with_base(|base| own(&base.record)).unwrap_or_default()
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

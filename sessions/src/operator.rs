//! Listing and ending sessions from a program beside the app, while it runs (ASVS 5.0, 7.4.2 and 7.4.5).
//!
//! [`Sessions::operators`](crate::Sessions::operators) returns a [`RealmOperator`] for each realm of a configuration.
//! What one can do depends on where the realm's sessions are: a server store lists and ends them, a
//! [ledger](crate::ledger) ends them, and cookies alone can do neither. What cannot be done is an [`Unable`], with the
//! reason in words for people.
//!
//! All of it is about sessions that have a [subject](crate::SessionData::subject). Those of anonymous visitors go on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::clock::{Clock, UnixSeconds};
use crate::error::StoreError;
use crate::events::{About, By, Kind, Name};
use crate::guard::Other;
use crate::ledger::Ledger;
use crate::realm::config_error::ConfigError;
use crate::realm::settings::RealmSettings;
use crate::realm::{Given, Realm};
use crate::record::timeouts::MAX_SKEW;
use crate::store::{Listed, Page};

/// How often all sessions are gone through until none is found that was there before.
const MAX_ROUNDS: usize = 16;

/// Lists and ends the sessions of one realm.
pub struct RealmOperator {
    realm: Realm,
    clock: Arc<dyn Clock>,
    unable: Option<Unable>,
}

/// Why something cannot be done to the sessions of a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unable {
    /// The realm has the cookie store, and no ledger.
    #[error(
        "its sessions are in cookies alone: nobody can list or end them; with the setting revocation they can be \
         ended, in a server store listed too"
    )]
    CookiesAlone,
    /// The realm has the store or the ledger `memory`.
    #[error(
        "its sessions are known in the memory of the app's own process alone, and no other program reaches them"
    )]
    InMemory,
    /// A ledger ends sessions, but lists none.
    #[error("its sessions are in cookies, which a ledger can end but nobody can list")]
    Unlisted,
    /// The app's own store ends the sessions of a subject, but cannot go through all.
    #[error("its store cannot go through all sessions: it finds them by their subject alone")]
    NotGoneThrough,
    /// A ledger ends sessions by their labels, which no server store knows.
    #[error(
        "its store finds sessions by their subject alone, and knows no label: only a ledger ends sessions by one"
    )]
    Unlabelled,
}

/// Why something was not done to the sessions of a realm.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// It cannot be done, however often it is tried.
    #[error(transparent)]
    Unable(#[from] Unable),
    /// The store, or the ledger, does not answer: some sessions may live on.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A session's handle: its name in logs and lists, 16 digits of 0-9 and a-f. It is not a credential.
///
/// ```
/// use sealed_sessions::operator::Handle;
///
/// assert!("0123456789abcdef".parse::<Handle>().is_ok());
/// let refused = "ada".parse::<Handle>().unwrap_err();
/// assert_eq!(refused.to_string(), "\"ada\" is not a session's handle: 16 digits of 0-9 and a-f, as logs show it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle(String);

/// A text that is not a [`Handle`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a session's handle: 16 digits of 0-9 and a-f, as logs show it")]
pub struct NotAHandle(String);

impl FromStr for Handle {
    type Err = NotAHandle;

    fn from_str(text: &str) -> Result<Handle, NotAHandle> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 16 && text.bytes().all(is_digit) {
            Ok(Handle(text.to_owned()))
        } else {
            Err(NotAHandle(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What ends the sessions of a realm.
enum Means<'o> {
    Store,
    Ledger(&'o Ledger),
}

impl RealmOperator {
    pub(crate) fn new(settings: RealmSettings, given: &Given<'_>) -> Result<RealmOperator, ConfigError> {
        let is_in_memory = |setting: &str, brought: bool| {
            setting.split(':').next().is_some_and(|scheme| scheme == "memory") && !brought
        };
        let brings_store = given.stores.iter().any(|(name, _)| name == "memory");
        let brings_log = given.logs.iter().any(|(name, _)| name == "memory");
        let in_memory = is_in_memory(&settings.store, brings_store)
            || settings.revocation.as_deref().is_some_and(|setting| is_in_memory(setting, brings_log));
        let realm = Realm::new(settings, given)?;
        let unable = if in_memory {
            Some(Unable::InMemory)
        } else if realm.store.ledger().is_none() && !realm.store.can_end() {
            Some(Unable::CookiesAlone)
        } else {
            None
        };
        Ok(RealmOperator { realm, clock: Arc::clone(given.clock), unable })
    }

    /// The path prefix of the realm; `"/"` for the whole site.
    pub fn path(&self) -> &str {
        &self.realm.path
    }

    /// Why nothing can be done to the sessions of this realm; `None` if something can.
    pub fn unable(&self) -> Option<Unable> {
        self.unable
    }

    /// Whether the store has a list of the sessions, as none with a ledger has.
    pub fn can_list(&self) -> bool {
        matches!(self.means(), Ok(Means::Store))
    }

    /// Connects to the store, or reads the ledger. Needed before anything else; a realm that is unable has nothing to
    /// connect to.
    ///
    /// # Errors
    /// When it does not answer, or belongs to an app with other keys.
    pub async fn start(&self) -> Result<(), StoreError> {
        if self.unable.is_some() { Ok(()) } else { self.realm.store.start().await }
    }

    /// Closes the connections.
    pub async fn stop(&self) {
        self.realm.store.stop().await;
    }

    /// The live sessions of a subject, those first that were used last.
    ///
    /// # Errors
    /// When the realm has no list of them, or its store does not answer.
    pub async fn sessions_of(&self, subject: &str) -> Result<Vec<Other>, OperatorError> {
        if let Means::Ledger(_) = self.means()? {
            return Err(Unable::Unlisted.into());
        }
        let listed = self.realm.store.of_subject(subject, self.clock.seconds()).await?;
        let mut listed = listed.ok_or(Unable::Unlisted)?;
        listed.sort_by_key(|session| (std::cmp::Reverse(session.seen), session.id));
        let other = |listed: Listed| Other { handle: self.realm.keyring.handle(&listed.id), listed };
        Ok(listed.into_iter().map(other).collect())
    }

    /// Ends all sessions of a subject, and says how many there were; `None` where a ledger has ended them, which
    /// does not know.
    ///
    /// # Errors
    /// When they cannot be ended, or may live on.
    pub async fn end_subject(&self, subject: &str) -> Result<Option<u64>, OperatorError> {
        self.means()?;
        match self.realm.store.end_all(subject, None, self.clock.seconds()).await? {
            Some(ended) => {
                self.tell_of_all(Some(subject), ended.count());
                Ok(ended.count())
            }
            None => Err(Unable::CookiesAlone.into()),
        }
    }

    /// Ends the session of a handle, or what it has become if it was renewed within
    /// [`RENEWAL_GRACE`](crate::store::RENEWAL_GRACE), and says how many there were, which is one at most; `None` where
    /// a ledger ends it if there is one, which it does not know.
    ///
    /// # Errors
    /// When it cannot be ended, or may live on.
    pub async fn end_session(&self, handle: &Handle) -> Result<Option<u64>, OperatorError> {
        if let Means::Ledger(ledger) = self.means()? {
            ledger.end_by_handle(&handle.0).await?;
            self.tell(Name::Handle(&handle.0));
            return Ok(None);
        }
        let mut from = Vec::new();
        loop {
            let Page { sessions, renewed, next } = self.page(&from).await?;
            let names = sessions.iter().map(|session| (&session.id, session));
            let mut names = names.chain(renewed.iter().map(|(old, session)| (old, session)));
            if let Some((_, session)) = names.find(|(id, _)| self.realm.keyring.owns_handle(id, &handle.0)) {
                self.realm.store.end(&session.id).await?;
                self.tell(Name::Hash(&session.id));
                return Ok(Some(1));
            }
            match next {
                Some(next) => from = next,
                None => return Ok(Some(0)),
            }
        }
    }

    /// Ends all sessions with one of the [labels](crate::SessionData::labels) that a session has, whatever their
    /// subject, which only a ledger can. Nobody knows how many there were.
    ///
    /// # Errors
    /// When they cannot be ended, or may live on.
    pub async fn end_label(&self, label: &str) -> Result<(), OperatorError> {
        let Means::Ledger(ledger) = self.means()? else { return Err(Unable::Unlabelled.into()) };
        Ok(ledger.end_label(label).await.map(drop)?)
    }

    /// Ends all sessions of everyone that were signed in before, and says how many there were; `None` where a ledger
    /// has ended them, which does not know. A session that is signed in meanwhile may end too.
    ///
    /// # Errors
    /// When they cannot be ended, or some may live on.
    pub async fn end_everyone(&self) -> Result<Option<u64>, OperatorError> {
        if let Means::Ledger(ledger) = self.means()? {
            ledger.end_everyone().await?;
            self.tell_of_all(None, None);
            return Ok(None);
        }
        let begun = self.clock.seconds();
        let mut ended = 0;
        // One that is renewed while many are ended may be missed by a round.
        for _ in 0..MAX_ROUNDS {
            let (count, had_older) = self.end_round(begun).await?;
            ended += count;
            if !had_older {
                self.tell_of_all(None, Some(ended));
                return Ok(Some(ended));
            }
        }
        Err(StoreError::outrun().into())
    }

    /// Goes through all sessions and ends them. How many, and whether any was signed in before `begun`.
    async fn end_round(&self, begun: UnixSeconds) -> Result<(u64, bool), OperatorError> {
        let (mut from, mut count, mut had_older) = (Vec::new(), 0, false);
        loop {
            let Page { sessions, renewed, next } = self.page(&from).await?;
            let all = sessions.into_iter().chain(renewed.into_iter().map(|(_, session)| session));
            let all: BTreeMap<_, _> = all.map(|session| (session.id, session.created)).collect();
            for (id, created) in all {
                self.realm.store.end(&id).await?;
                had_older |= created <= begun;
                count += 1;
            }
            match next {
                Some(next) => from = next,
                None => return Ok((count, had_older)),
            }
        }
    }

    /// A page of the sessions to end. This clock may be ahead of the one by which somebody uses a session: one that expired a
    /// moment ago may live on.
    async fn page(&self, from: &[u8]) -> Result<Page, OperatorError> {
        let now = self.clock.seconds().saturating_sub(MAX_SKEW);
        self.realm.store.page(from, now).await?.ok_or(Unable::NotGoneThrough.into())
    }

    /// Tells that this has ended a session.
    fn tell(&self, session: Name<'_>) {
        let about = About { session: Some(session), ..About::default() };
        self.realm.teller.tell(Kind::Ended(By::Operator), about);
    }

    /// Tells that this has ended the sessions of a subject, or everyone's.
    fn tell_of_all(&self, subject: Option<&str>, count: Option<u64>) {
        let kind = Kind::AllEnded { by: By::Operator, count };
        self.realm.teller.tell(kind, About { subject, ..About::default() });
    }

    fn means(&self) -> Result<Means<'_>, Unable> {
        match (self.unable, self.realm.store.ledger()) {
            (Some(unable), _) => Err(unable),
            (None, Some(ledger)) => Ok(Means::Ledger(ledger)),
            (None, None) => Ok(Means::Store),
        }
    }
}

impl fmt::Debug for RealmOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealmOperator")
            .field("path", &self.realm.path)
            .field("unable", &self.unable)
            .finish_non_exhaustive()
    }
}

//! Whether the account of a session is still as it was at the sign-in.
//!
//! A session that nobody can end is compared with its account at every request: one lookup by id. In a store it is
//! compared once, by the first request after the sign-in: a password that was checked before it was changed may have
//! opened the session after the others were ended. A ledger sees that by itself.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use rocket::request::{FromRequest, Outcome, Request};
use sealed_sessions::{Powers, Realms};

use super::account_changes::Known;
use super::accounts::{Accounts, Stamp};
use super::audit::Audit;
use super::visitor::{ReadOnly, Visitor};

/// What became of the account that a session is signed in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody is signed in.
    Nobody,
    /// It is as it was.
    Good {
        /// How long the lookup took, where there was one.
        lookup: Option<Duration>,
    },
    /// It has another password, or it is disabled or deleted.
    Over,
    /// The accounts do not answer.
    Unknown,
}

impl Standing {
    /// Whether somebody is signed in, as far as can be told.
    pub(super) fn may_be_good(self) -> bool {
        matches!(self, Standing::Good { .. } | Standing::Unknown)
    }
}

/// The standing of the session of the request's realm, found out once per request.
pub(super) async fn standing(request: &Request<'_>) -> Standing {
    *request.local_cache_async(here(request)).await
}

async fn here(request: &Request<'_>) -> Standing {
    let Some(realms) = request.guard::<Realms<'_, Visitor>>().await.succeeded() else {
        return Standing::Nobody;
    };
    let Some(path) = realms.here() else { return Standing::Nobody };
    let Ok(session) = realms.session(path).await else { return Standing::Nobody };
    let powers = session.inspect().powers();
    let standing = of(request.rocket().state(), &session.get(), powers, &Audit::of(request)).await;
    if powers != Powers::Nothing && matches!(standing, Standing::Good { lookup: Some(_) }) {
        session.update(|visitor| visitor.stamp = None);
    }
    standing
}

/// Finds out the standing of sessions that are read without using them, as often as it is asked.
pub(super) struct Standings<'r> {
    accounts: Option<&'r Accounts>,
    audit: Audit,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Standings<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Standings<'r>, Infallible> {
        Outcome::Success(Standings { accounts: request.rocket().state(), audit: Audit::of(request) })
    }
}

impl Standings<'_> {
    /// The standing of this session at this moment.
    pub(super) async fn of(&self, session: ReadOnly<'_>) -> Standing {
        of(self.accounts, &session.get(), session.inspect().powers(), &self.audit).await
    }
}

/// The standing of a session that holds this.
async fn of(accounts: Option<&Accounts>, visitor: &Visitor, powers: Powers, audit: &Audit) -> Standing {
    let Some(account) = &visitor.user else { return Standing::Nobody };
    let expected: Option<Stamp> = match powers {
        Powers::Nothing => Some(visitor.stamp.unwrap_or_default()),
        _ => visitor.stamp,
    };
    let Some(expected) = expected else { return Standing::Good { lookup: None } };
    let Some(accounts) = accounts else { return Standing::Unknown };
    let begun = Instant::now();
    match accounts.look_up(account.id).await {
        Ok(Known::Stamp(stamp)) if stamp != expected => Standing::Over,
        Ok(Known::Over) => Standing::Over,
        Ok(Known::Stamp(_) | Known::Nothing) => Standing::Good { lookup: Some(begun.elapsed()) },
        Err(error) => {
            audit.fault(&error);
            Standing::Unknown
        }
    }
}

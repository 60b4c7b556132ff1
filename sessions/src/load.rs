//! From the request's cookie to the session: open, ask the store, judge.

use std::sync::Arc;

use rocket::Request;

use super::SessionData;
use super::clock::UnixSeconds;
use super::error::{Arrival, Invalid, SessionError, StoreError};
use super::keyring::KeyAge;
use super::live::{Base, Live, Sizes, State};
use super::realm::Realm;
use super::record::Record;
use super::sent::{SentChunks, SentCookies};
use super::store::{Loaded, Lock};
use super::ticket::Ticket;

/// Whether the session is to be locked before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Shared,
    Exclusive,
}

/// Loads the session of `realm`. Whatever the browser sent, it is a session or an empty one with its
/// reason (rule 1); an error is a fault of the store, logged here, once.
pub(crate) async fn load<T: SessionData>(
    realm: &Realm,
    request: &Request<'_>,
    access: Access,
    now: UnixSeconds,
) -> Box<Result<Live<T>, SessionError>> {
    let sent = SentCookies::of(request, &realm.cookie.name);
    if sent.is_empty() {
        return Box::new(Ok(anonymous(now, Arrival::Absent, SentChunks::default(), None)));
    }
    Box::new(match choose(realm, &sent, access, now).await {
        Ok((Ok(Found { base, key_age, sizes }), lock)) => {
            let state = State::resumed(base, lock);
            Ok(Live::new(now, Arrival::Resumed, key_age, sent.chunks(), Some(sizes), state))
        }
        Ok((Err(arrival), lock)) => Ok(anonymous(now, arrival, sent.chunks(), lock)),
        Err(error) => {
            log::error!("sessions of {:?}: cannot load: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    })
}

/// A genuine seal and the live session that it stands for.
struct Found<T> {
    base: Box<Base<T>>,
    key_age: KeyAge,
    sizes: Sizes,
}

/// After how many tickets that stand for no live session the others count as none too: the store may take
/// `store_timeout` for each.
const MOST_DEAD: usize = 8;

/// Opens every value of the cookie and asks the store about each that opens. Two that are different live
/// sessions count as none; of two states of one session the later counts. Where none is live, the reason
/// is that of the first whose seal was genuine. With it the lock, if one is to be had.
async fn choose<T: SessionData>(
    realm: &Realm,
    sent: &SentCookies<'_>,
    access: Access,
    now: UnixSeconds,
) -> Result<(Result<Found<T>, Arrival>, Option<Lock>), StoreError> {
    let mut found: Option<Found<T>> = None;
    let mut dead: Vec<Ticket> = Vec::new();
    let (mut arrival, mut unopened, mut lock) = (None, None, None);
    for value in sent.values() {
        let (ticket, key_age) = match realm.cookie.open(&realm.keyring, &value) {
            Ok(opened) => opened,
            Err(reason) => {
                unopened = unopened.or(Some(Arrival::Invalid(reason)));
                continue;
            }
        };
        if found.as_ref().is_some_and(|found| found.base.ticket == ticket) || dead.contains(&ticket) {
            continue;
        }
        if dead.len() == MOST_DEAD {
            break;
        }
        if access == Access::Exclusive && lock.is_none() {
            lock = take_lock(realm, ticket.text()).await?;
        }
        let loaded = realm.bounded(realm.store.load(ticket.text(), now)).await?;
        let (record, data) = match alive(realm, loaded, now) {
            Ok(alive) => alive,
            Err(reason) => {
                arrival = arrival.or(Some(reason));
                dead.push(ticket);
                if found.is_none() {
                    lock = None;
                }
                continue;
            }
        };
        found = match found.take() {
            Some(other) if other.base.record.id != record.id => {
                return Ok((Err(Arrival::Invalid(Invalid::Ambiguous)), lock));
            }
            Some(earlier)
                if (earlier.base.record.version, earlier.base.record.seen)
                    >= (record.version, record.seen) =>
            {
                Some(earlier)
            }
            _ => {
                let sizes = Sizes { cookies: value.cookies(), value: value.bytes() };
                Some(Found { base: Box::new(Base { record, ticket, data }), key_age, sizes })
            }
        };
    }
    let reason = || arrival.or(unopened).unwrap_or(Arrival::Invalid(Invalid::Malformed));
    Ok((found.ok_or_else(reason), lock))
}

/// The live session that the store has for a ticket, with its data, or why there is none.
fn alive<T: SessionData>(
    realm: &Realm,
    loaded: Loaded,
    now: UnixSeconds,
) -> Result<(Record, Arc<T>), Arrival> {
    match loaded {
        Loaded::Found(record) => match realm.lifetimes.judge(&record, now) {
            Arrival::Resumed => match serde_json::from_str(&record.data) {
                Ok(data) => Ok((record, Arc::new(data))),
                Err(_) => Err(Arrival::Invalid(Invalid::Schema)),
            },
            reason => Err(reason),
        },
        Loaded::Missing => Err(Arrival::Revoked),
        Loaded::Superseded => Err(Arrival::Superseded),
        Loaded::Unreadable => Err(Arrival::Invalid(Invalid::Format)),
    }
}

/// The session's lock, or none where the store has no locks.
async fn take_lock(realm: &Realm, ticket: &str) -> Result<Option<Lock>, StoreError> {
    match realm.store.capabilities().locks {
        true => realm.lock(ticket).await.map(Some),
        false => Ok(None),
    }
}

/// Locks a session that an earlier guard of the same request has loaded without, and reads it again:
/// what was read before the lock may be stale.
pub(crate) async fn relock<T: SessionData>(
    realm: &Realm,
    live: &Live<T>,
    now: UnixSeconds,
) -> Result<(), SessionError> {
    let Some(ticket) = live.with_base(|base| base.ticket.clone()) else { return Ok(()) };
    if live.is_locked() || !realm.store.capabilities().locks {
        return Ok(());
    }
    let again = async {
        let lock = realm.lock(ticket.text()).await?;
        let loaded = realm.bounded(realm.store.load(ticket.text(), now)).await?;
        Ok::<_, StoreError>((lock, loaded))
    };
    match again.await {
        Ok((lock, loaded)) => {
            let fresh = alive(realm, loaded, now).ok();
            let fresh = fresh.map(|(record, data)| Box::new(Base { record, ticket, data }));
            live.relock(lock, fresh);
            Ok(())
        }
        Err(error) => {
            log::error!("sessions of {:?}: cannot lock: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    }
}

fn anonymous<T: SessionData>(
    now: UnixSeconds,
    arrival: Arrival,
    chunks: SentChunks,
    lock: Option<Lock>,
) -> Live<T> {
    if let Arrival::Invalid(reason) = arrival {
        log::debug!("a session cookie counts as none: {reason:?}");
    }
    Live::new(now, arrival, KeyAge::Current, chunks, None, State::empty(lock))
}

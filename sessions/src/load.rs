//! From the request's cookie to the session: open, ask the store, judge.

use std::sync::Arc;

use rocket::Request;

use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::{RequestCookies, SentChunks, SentValue};
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::{Arrival, Invalid, SessionError, StoreError};
use crate::realm::Realm;
use crate::record::Record;
use crate::request::{Base, RequestSession, Sizes};
use crate::store::Loaded;

/// Give up after this many dead tickets: each lookup may take a full `store_timeout`.
const MAX_DEAD: usize = 8;

/// Loads the session of `realm`. Whatever the browser sent becomes a session, or an empty one with its
/// reason (rule 1). An error is a fault of the store; it is logged here, once.
pub(crate) async fn load<T: SessionData>(
    realm: &Realm,
    request: &Request<'_>,
    now: UnixSeconds,
) -> Result<Box<RequestSession<T>>, SessionError> {
    let cookies = RequestCookies::of(request, &realm.cookie.name);
    if cookies.is_empty() {
        return Ok(RequestSession::anonymous(now, Arrival::Absent, SentChunks::default()));
    }
    match find(realm, &cookies, now).await {
        Ok(Ok(Found { base, key_age, sizes })) => {
            Ok(RequestSession::resumed(now, base, key_age, cookies.chunks(), sizes))
        }
        Ok(Err(arrival)) => {
            if let Arrival::Invalid(reason) = arrival {
                log::debug!("a session cookie is ignored: {reason:?}");
            }
            Ok(RequestSession::anonymous(now, arrival, cookies.chunks()))
        }
        Err(error) => {
            log::error!("sessions of {:?}: cannot load: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    }
}

/// Locks a session and reads it again, since what was read before may be stale.
pub(crate) async fn relock<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    now: UnixSeconds,
) -> Result<(), SessionError> {
    let Some(ticket) = session.with_base(|base| base.ticket.clone()) else { return Ok(()) };
    if session.is_locked() {
        return Ok(());
    }
    let locked = async {
        let Some(lock) = realm.store.lock(ticket.text()).await? else { return Ok(None) };
        let loaded = realm.store.load(ticket.text(), now).await?;
        Ok::<_, StoreError>(Some((lock, loaded)))
    };
    match locked.await {
        Ok(Some((lock, loaded))) => {
            let fresh = alive(realm, loaded, now);
            session.relock(lock, fresh.map(|(record, data)| Box::new(Base { record, ticket, data })));
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            log::error!("sessions of {:?}: cannot lock: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    }
}

/// A genuine seal and the live session behind it.
struct Found<T> {
    base: Box<Base<T>>,
    key_age: KeyAge,
    sizes: Sizes,
}

/// Opens every value of the cookie and asks the store about each ticket. If none is live, the reason is that of
/// the first genuine seal, else that of the first value.
async fn find<T: SessionData>(
    realm: &Realm,
    cookies: &RequestCookies<'_>,
    now: UnixSeconds,
) -> Result<Result<Found<T>, Arrival>, StoreError> {
    let mut found: Option<Found<T>> = None;
    let mut dead: Vec<Ticket> = Vec::new();
    let (mut genuine, mut unopened) = (None, None);
    for value in cookies.values() {
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
        if dead.len() == MAX_DEAD {
            break;
        }
        match alive(realm, realm.store.load(ticket.text(), now).await?, now) {
            Ok((record, data)) => {
                let base = Box::new(Base { record, ticket, data });
                let candidate = Found { base, key_age, sizes: sizes(&value) };
                found = match found {
                    None => Some(candidate),
                    Some(other) => match newer(other, candidate) {
                        Ok(newer) => Some(newer),
                        Err(ambiguous) => return Ok(Err(ambiguous)),
                    },
                };
            }
            Err(reason) => {
                genuine = genuine.or(Some(reason));
                dead.push(ticket);
            }
        }
    }
    let reason = || genuine.or(unopened).unwrap_or(Arrival::Invalid(Invalid::Malformed));
    Ok(found.ok_or_else(reason))
}

/// Of two versions of one session the newer wins. Two different live sessions are both ignored.
fn newer<T>(one: Found<T>, other: Found<T>) -> Result<Found<T>, Arrival> {
    let age = |found: &Found<T>| (found.base.record.version, found.base.record.seen);
    if one.base.record.id != other.base.record.id {
        Err(Arrival::Invalid(Invalid::Ambiguous))
    } else if age(&one) >= age(&other) {
        Ok(one)
    } else {
        Ok(other)
    }
}

fn sizes(value: &SentValue<'_>) -> Sizes {
    Sizes { cookies: value.cookies(), value: value.bytes() }
}

/// The live session that the store has for a ticket, with its data, or why there is none.
fn alive<T: SessionData>(
    realm: &Realm,
    loaded: Loaded,
    now: UnixSeconds,
) -> Result<(Record, Arc<T>), Arrival> {
    match loaded {
        Loaded::Found(record) => match realm.timeouts.judge(&record, now) {
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

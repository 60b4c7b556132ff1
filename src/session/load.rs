//! From the request's cookie to the session: open, ask the store, judge.

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
        Ok(Chosen { arrival: Arrival::Resumed, found: Some(found), lock }) => {
            Ok(resume(now, found, sent.chunks(), lock))
        }
        Ok(Chosen { arrival, lock, .. }) => Ok(anonymous(now, arrival, sent.chunks(), lock)),
        Err(error) => {
            log::error!("sessions of {:?}: cannot load: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    })
}

/// A genuine seal and the session that it stands for.
struct Found {
    base: Box<Base>,
    key_age: KeyAge,
    sizes: Sizes,
}

struct Chosen {
    arrival: Arrival,
    found: Option<Found>,
    lock: Option<Lock>,
}

/// How many tickets of one request the store is asked about: each may take as long as `store_timeout`.
const MOST_ASKED: usize = 8;

/// Opens every value of the cookie and asks the store about each that opens. Two that are different live
/// sessions count as none; of two states of one session the later counts. Where none is live, the reason
/// is that of the first whose seal was genuine.
async fn choose(
    realm: &Realm,
    sent: &SentCookies<'_>,
    access: Access,
    now: UnixSeconds,
) -> Result<Chosen, StoreError> {
    let mut found: Option<Found> = None;
    let mut dead: Vec<Ticket> = Vec::new();
    let (mut arrival, mut unopened, mut lock, mut asked) = (None, None, None, 0);
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
        asked += 1;
        if asked > MOST_ASKED {
            break;
        }
        if access == Access::Exclusive && lock.is_none() {
            lock = take_lock(realm, ticket.text()).await?;
        }
        let (judged, record) = match realm.bounded(realm.store.load(ticket.text(), now)).await? {
            Loaded::Found(record) => (realm.lifetimes.judge(&record, now), Some(record)),
            none => (reason(&none), None),
        };
        let (Arrival::Resumed, Some(record)) = (judged, record) else {
            arrival = arrival.or(Some(judged));
            dead.push(ticket);
            if found.is_none() {
                lock = None;
            }
            continue;
        };
        found = match found.take() {
            Some(other) if other.base.record.id != record.id => {
                return Ok(Chosen { arrival: Arrival::Invalid(Invalid::Ambiguous), found: None, lock });
            }
            Some(earlier)
                if (earlier.base.record.version, earlier.base.record.seen)
                    >= (record.version, record.seen) =>
            {
                Some(earlier)
            }
            _ => {
                let sizes = Sizes { cookies: value.cookies(), value: value.bytes() };
                Some(Found { base: Box::new(Base { record, ticket }), key_age, sizes })
            }
        };
    }
    let arrival = match &found {
        Some(_) => Arrival::Resumed,
        None => arrival.or(unopened).unwrap_or(Arrival::Invalid(Invalid::Malformed)),
    };
    Ok(Chosen { arrival, found, lock })
}

/// What the store says of a ticket whose seal was genuine.
fn reason(loaded: &Loaded) -> Arrival {
    match loaded {
        Loaded::Found(_) => Arrival::Resumed,
        Loaded::Missing => Arrival::Revoked,
        Loaded::Superseded => Arrival::Superseded,
        Loaded::Unreadable => Arrival::Invalid(Invalid::Format),
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
            let fresh = match loaded {
                Loaded::Found(record) => read(&record).map(|data| (Box::new(Base { record, ticket }), data)),
                _ => None,
            };
            live.relock(lock, fresh);
            Ok(())
        }
        Err(error) => {
            log::error!("sessions of {:?}: cannot lock: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    }
}

fn resume<T: SessionData>(now: UnixSeconds, found: Found, chunks: SentChunks, lock: Option<Lock>) -> Live<T> {
    match read(&found.base.record) {
        Some(data) => {
            let state = State::resumed(found.base, data, lock);
            Live::new(now, Arrival::Resumed, found.key_age, chunks, Some(found.sizes), state)
        }
        None => anonymous(now, Arrival::Invalid(Invalid::Schema), chunks, lock),
    }
}

fn read<T: SessionData>(record: &Record) -> Option<T> {
    serde_json::from_str(&record.data).ok()
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

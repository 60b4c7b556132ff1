//! From the request's cookie to the session: open, ask the store, judge.

use rocket::Request;
use smallvec::SmallVec;

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
) -> Result<Box<Live<T>>, SessionError> {
    let sent = SentCookies::of(request, &realm.cookie.name);
    if sent.is_empty() {
        return Ok(anonymous(now, Arrival::Absent, SentChunks::default(), None));
    }
    let chunks = sent.chunks();
    let opened = match open(realm, &sent) {
        Ok(opened) => opened,
        Err(reason) => return Ok(anonymous(now, Arrival::Invalid(reason), chunks, None)),
    };
    match choose(realm, opened, access, now).await {
        Ok(Chosen { arrival: Arrival::Resumed, opened: Some((opened, record)), lock }) => {
            Ok(resume(now, opened, record, chunks, lock))
        }
        Ok(Chosen { arrival, lock, .. }) => Ok(anonymous(now, arrival, chunks, lock)),
        Err(error) => {
            log::error!("sessions of {:?}: cannot load: {error}", realm.path);
            Err(SessionError::Unavailable)
        }
    }
}

/// A genuine seal and what was in it.
struct Opened {
    ticket: Ticket,
    key_age: KeyAge,
    sizes: Sizes,
}

/// Nearly always one.
type AllOpened = SmallVec<[Opened; 1]>;

struct Chosen {
    arrival: Arrival,
    opened: Option<(Opened, Record)>,
    lock: Option<Lock>,
}

/// Opens every value of the cookie that opens; the reason of the first where none does.
fn open(realm: &Realm, sent: &SentCookies<'_>) -> Result<AllOpened, Invalid> {
    let mut reason = None;
    let mut all = AllOpened::new();
    for value in sent.values() {
        match realm.cookie.open(&realm.keyring, &value) {
            Ok((ticket, key_age)) => {
                let sizes = Sizes { cookies: value.cookies(), value: value.bytes() };
                all.push(Opened { ticket, key_age, sizes });
            }
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    match all.is_empty() {
        false => Ok(all),
        true => Err(reason.unwrap_or(Invalid::Malformed)),
    }
}

/// Asks the store about each ticket. Two that are different sessions count as none; of two states of
/// one session the later counts.
async fn choose(
    realm: &Realm,
    opened: AllOpened,
    access: Access,
    now: UnixSeconds,
) -> Result<Chosen, StoreError> {
    let mut chosen: Option<(Opened, Record)> = None;
    let mut arrival = None;
    let mut lock = None;
    for opened in opened {
        if access == Access::Exclusive && lock.is_none() {
            lock = take_lock(realm, opened.ticket.text()).await?;
        }
        let record = match realm.bounded(realm.store.load(opened.ticket.text(), now)).await? {
            Loaded::Found(record) => record,
            Loaded::Missing => {
                arrival = arrival.or(Some(Arrival::Revoked));
                continue;
            }
            Loaded::Superseded => {
                arrival = arrival.or(Some(Arrival::Superseded));
                continue;
            }
            Loaded::Unreadable => {
                arrival = arrival.or(Some(Arrival::Invalid(Invalid::Format)));
                continue;
            }
        };
        chosen = match chosen.take() {
            Some((_, other)) if other.id != record.id => {
                return Ok(Chosen { arrival: Arrival::Invalid(Invalid::Ambiguous), opened: None, lock });
            }
            Some((earlier, other)) if (other.version, other.seen) >= (record.version, record.seen) => {
                Some((earlier, other))
            }
            _ => Some((opened, record)),
        };
    }
    let arrival = match &chosen {
        Some((_, record)) => realm.lifetimes.judge(record, now),
        None => arrival.unwrap_or(Arrival::Absent),
    };
    Ok(Chosen { arrival, opened: chosen, lock })
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
                Loaded::Found(record) => read(&record).map(|data| (Base { record, ticket }, data)),
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

fn resume<T: SessionData>(
    now: UnixSeconds,
    opened: Opened,
    record: Record,
    chunks: SentChunks,
    lock: Option<Lock>,
) -> Box<Live<T>> {
    match read(&record) {
        Some(data) => {
            let state = State::resumed(Base { record, ticket: opened.ticket }, data, lock);
            Live::new(now, Arrival::Resumed, opened.key_age, chunks, Some(opened.sizes), state)
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
) -> Box<Live<T>> {
    if let Arrival::Invalid(reason) = arrival {
        log::debug!("a session cookie counts as none: {reason:?}");
    }
    Live::new(now, arrival, KeyAge::Current, chunks, None, State::empty(lock))
}

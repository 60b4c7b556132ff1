//! From the request's cookie to the session: open, ask the store, judge.

use std::sync::Arc;

use rocket::Request;
use rocket::http::Method;

use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::cookie::request_cookies::{RequestCookies, SentChunks, SentValue};
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::error::{Arrival, Invalid, SessionError, StoreError};
use crate::events::{About, Kind, Name, RequestId};
use crate::realm::Realm;
use crate::record::Record;
use crate::request::{RequestSession, Sizes};
use crate::state::{Base, Lost};
use crate::store::Loaded;

/// Give up after this many dead tickets: each lookup may take a full `store_timeout`.
const MAX_DEAD: usize = 8;

/// Loads the session of `realm`, and notes the position in the ledger. A sign-in comes with an anonymous session and
/// an unsafe method: then what is new in the ledger is read first, so that it does not die of what came before it.
pub(crate) async fn load<T: SessionData>(
    realm: &Realm,
    request: &Request<'_>,
    now: UnixSeconds,
) -> Result<Box<RequestSession<T>>, SessionError> {
    let mut session = load_once(realm, request, now).await?;
    if realm.store.ledger().is_none() {
        return Ok(told(realm, request, session));
    }
    let is_signed_in = || session.with_base(|base: &Base<T>| base.record.subject.is_some()) == Some(true);
    // If the ledger does not answer, the position is an earlier one, which ends more.
    if !is_safe(request.method()) && !is_signed_in() && Box::pin(realm.store.catch_up()).await.is_ok() {
        session = Box::pin(load_once(realm, request, now)).await?;
    }
    Ok(told(realm, request, session.at(realm.store.position())))
}

/// Tells how the session has arrived, if anyone listens.
fn told<T: SessionData>(
    realm: &Realm,
    request: &Request<'_>,
    mut session: Box<RequestSession<T>>,
) -> Box<RequestSession<T>> {
    if realm.teller.is_heard() {
        session.request_id = Some(RequestId::of(request));
        tell_arrival(realm, &session);
    }
    session
}

fn tell_arrival<T: SessionData>(realm: &Realm, session: &RequestSession<T>) {
    let id = session.came_with();
    let is_replayed =
        || id.is_some_and(|id| realm.store.ledger().is_some_and(|ledger| ledger.has_long_ended(&id)));
    let kind = match session.arrival() {
        Arrival::Absent | Arrival::Withheld => return,
        Arrival::Resumed | Arrival::Stale { .. } => Kind::Resumed,
        Arrival::Expired(timeout) => Kind::Expired(timeout),
        Arrival::Revoked if is_replayed() => Kind::Replayed,
        refused => Kind::Refused(refused),
    };
    let subject = session.with_base(|base| base.record.subject.clone()).flatten();
    let (session, request) = (id.as_ref().map(Name::Id), session.request_id);
    realm.teller.tell(kind, About { session, subject: subject.as_deref(), request, ..About::default() });
}

fn is_safe(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head | Method::Options | Method::Trace)
}

/// Loads the session of `realm`. Whatever the browser sent becomes a session, or an empty one with its
/// reason (rule 1). An error is a fault of the store; it is logged here, once.
async fn load_once<T: SessionData>(
    realm: &Realm,
    request: &Request<'_>,
    now: UnixSeconds,
) -> Result<Box<RequestSession<T>>, SessionError> {
    let cookies = RequestCookies::of(request, &realm.cookie.name);
    if cookies.is_empty() {
        let withheld = realm.cookie.is_withheld(request, &realm.origins);
        let arrival = if withheld { Arrival::Withheld } else { Arrival::Absent };
        return Ok(RequestSession::anonymous(now, arrival.into(), SentChunks::default()));
    }
    match find(realm, &cookies, now).await {
        Ok(Ok(Found { base, key_age, sizes })) => {
            let arrival = compared(realm, &base.record);
            Ok(RequestSession::resumed(now, base, arrival, key_age, cookies.chunks(), sizes))
        }
        Ok(Err(lost)) => {
            match lost.arrival {
                Arrival::Invalid(Invalid::Ambiguous) => warn_of_two_sessions(realm, now),
                Arrival::Invalid(_) if realm.teller.logs() => {}
                Arrival::Invalid(reason) => log::debug!("a session cookie is ignored: {reason:?}"),
                _ => {}
            }
            Ok(RequestSession::anonymous(now, lost, cookies.chunks()))
        }
        Err(error) => {
            let request = realm.teller.is_heard().then(|| RequestId::of(request));
            realm.fault(request, "load", &error);
            Err(SessionError::Unavailable)
        }
    }
}

/// Whether a session is as new as it should be.
fn compared(realm: &Realm, record: &Record) -> Arrival {
    match realm.versions.see(&record.id, record.version).saturating_sub(record.version) {
        0 => Arrival::Resumed,
        behind => Arrival::Stale { behind },
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
            session.relock(lock, alive(realm, ticket, loaded, now));
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            realm.fault(session.request_id, "lock", &error);
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
/// a superseded one, else of the first genuine seal, else of the first value.
async fn find<T: SessionData>(
    realm: &Realm,
    cookies: &RequestCookies<'_>,
    now: UnixSeconds,
) -> Result<Result<Found<T>, Lost<T>>, StoreError> {
    let mut found: Option<Found<T>> = None;
    let mut dead: Vec<Ticket> = Vec::new();
    let (mut lost, mut unopened): (Option<Lost<T>>, _) = (None, None);
    for value in cookies.values() {
        let (ticket, key_age) = match realm.cookie.open(&realm.keyring, &value, now) {
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
        let loaded = realm.store.load(ticket.text(), now).await?;
        match alive(realm, ticket, loaded, now) {
            Ok(base) => {
                let candidate = Found { base, key_age, sizes: sizes(&value) };
                found = match found {
                    None => Some(candidate),
                    Some(other) => match newer(other, candidate) {
                        Ok(newer) => Some(newer),
                        Err(ambiguous) => return Ok(Err(ambiguous.into())),
                    },
                };
            }
            Err(reason) => {
                dead.extend(reason.ticket.clone());
                let first = lost.is_none();
                if first || reason.arrival == Arrival::Superseded {
                    lost = Some(reason);
                }
            }
        }
    }
    let invalid = || unopened.unwrap_or(Arrival::Invalid(Invalid::Malformed)).into();
    Ok(found.ok_or_else(|| lost.unwrap_or_else(invalid)))
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

/// The live session that the store has for a ticket, or why there is none.
fn alive<T: SessionData>(
    realm: &Realm,
    ticket: Ticket,
    loaded: Loaded,
    now: UnixSeconds,
) -> Result<Box<Base<T>>, Lost<T>> {
    let (arrival, left) = match loaded {
        Loaded::Found(record) => match read(realm, &record, now) {
            Ok(data) if is_ended_by_label(realm, &record, &*data) => (Arrival::Revoked, None),
            Ok(data) => return Ok(Box::new(Base { record, ticket, data })),
            Err(arrival) => (arrival, None),
        },
        Loaded::Superseded(left) => (Arrival::Superseded, left.and_then(|left| read(realm, &left, now).ok())),
        Loaded::Missing => (Arrival::Revoked, None),
        Loaded::Unreadable => (Arrival::Invalid(Invalid::Format), None),
    };
    Err(Lost { arrival, ticket: Some(ticket), left })
}

/// Whether the ledger has ended a session by one of its labels, which no store reads.
pub(crate) fn is_ended_by_label<T: SessionData>(realm: &Realm, record: &Record, data: &T) -> bool {
    realm.store.ledger().is_some_and(|ledger| ledger.has_ended_labelled(record, &data.labels()))
}

/// The data of a record that is still alive.
fn read<T: SessionData>(realm: &Realm, record: &Record, now: UnixSeconds) -> Result<Arc<T>, Arrival> {
    match realm.timeouts.judge(record, now) {
        Arrival::Resumed => match serde_json::from_str(&record.data) {
            Ok(data) => Ok(Arc::new(data)),
            Err(error) => {
                warn_of_unreadable::<T>(realm, &error, now);
                Err(Arrival::Invalid(Invalid::Schema))
            }
        },
        reason => Err(reason),
    }
}

/// Says that a browser cannot be signed in: it sends what it has under an old domain or path beside the new.
fn warn_of_two_sessions(realm: &Realm, now: UnixSeconds) {
    let Some(count) = realm.ambiguous.occurs(now) else { return };
    log::warn!(
        "sessions of {:?}: {count} requests brought two live sessions as {:?}, so neither counts: after a change of \
         domain or path change the setting cookie too; otherwise another app that has this key uses that name, or somebody \
         has planted a session",
        realm.path,
        realm.cookie.name
    );
}

/// Says that visitors lose their sessions to a change of the type. What serde says may show a value, unless a field
/// is missing.
fn warn_of_unreadable<T>(realm: &Realm, error: &serde_json::Error, now: UnixSeconds) {
    let Some(count) = realm.unreadable.occurs(now) else { return };
    let name = std::any::type_name::<T>();
    let text = error.to_string();
    let why = if text.starts_with("missing field") {
        text
    } else {
        format!("a {:?} error at column {}", error.classify(), error.column())
    };
    log::warn!(
        "sessions of {:?}: the data of {count} cannot be read as {name} and is ignored, the last one's for {why}; give \
         new fields #[serde(default)]",
        realm.path
    );
}

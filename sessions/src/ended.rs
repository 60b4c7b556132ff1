//! How a session ends while a response of it is still going on.

use rocket::futures::future::pending;
use rocket::tokio::select;

use crate::clock::UnixSeconds;
use crate::data::SessionData;
use crate::error::{Arrival, SessionError, StoreError, Timeout};
use crate::load::is_ended_by_label;
use crate::realm::Realm;
use crate::record::Record;
use crate::request::RequestSession;
use crate::store::Loaded;

/// How often a server store is asked whether a session goes on, in seconds. Nobody asks unless a response waits.
pub(crate) const ASK_INTERVAL: UnixSeconds = 5;

/// After so many questions in a row without an answer nobody can tell whether the session goes on.
const MAX_FAULTS: u32 = 2;

/// Why a long response has to stop, as [`Session::ended`](crate::Session::ended) says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The session was ended, by a logout or otherwise; or there was none.
    Revoked,
    /// The session has a new id, after a sign-in in another tab, say. The browser has a new cookie, and this response
    /// came with the old one.
    Superseded,
    /// The session has timed out.
    Expired(Timeout),
    /// The session goes on, but the app is stopping.
    Stopping,
}

/// Waits until the session of a request has ended, or the app stops.
pub(crate) async fn ended<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
) -> Result<End, SessionError> {
    select! {
        biased;
        () = realm.stops() => Ok(End::Stopping),
        end = watch(realm, session) => end,
    }
}

async fn watch<T: SessionData>(realm: &Realm, session: &RequestSession<T>) -> Result<End, SessionError> {
    let mut faults = 0;
    // As the store had it last.
    let mut known: Option<Record> = None;
    loop {
        // From before the look, so that nothing is missed in between.
        let news = realm.store.news();
        // Looked at anew each time: the response's own commit may have given it a new id.
        let Some(kept) = session.kept() else { return Ok(End::Revoked) };
        let now = realm.clock.seconds();
        let look_again = match realm.store.look(&kept, now).await {
            Ok(loaded) => {
                let record = going_on(realm, loaded, known.as_ref().unwrap_or(&kept.record), now);
                let record = known.insert(match record {
                    Ok(record) => record,
                    Err(end) => return Ok(end),
                });
                // No store reads the labels, so none knows of an end by one.
                if is_ended_by_label(realm, record, &*session.data()) {
                    return Ok(End::Revoked);
                }
                faults = 0;
                let expires = realm.timeouts.expires(record);
                if realm.store.is_asked() { expires.min(now.saturating_add(ASK_INTERVAL)) } else { expires }
            }
            Err(error) => {
                faults += 1;
                if faults == MAX_FAULTS {
                    return Err(unknown(realm, &error, now));
                }
                now.saturating_add(ASK_INTERVAL)
            }
        };
        let news = async {
            match news {
                Some(news) => news.await,
                None => pending().await,
            }
        };
        select! {
            () = news => {}
            () = realm.clock.reached(look_again) => {}
        }
    }
}

/// The session as it goes on, or how it has ended. `known` is what was known of it before.
fn going_on(realm: &Realm, loaded: Loaded, known: &Record, now: UnixSeconds) -> Result<Record, End> {
    let judge = |record: &Record| match realm.timeouts.judge(record, now) {
        Arrival::Resumed => None,
        Arrival::Expired(timeout) => Some(End::Expired(timeout)),
        _ => Some(End::Revoked),
    };
    match loaded {
        Loaded::Found(record) => judge(&record).map_or(Ok(record), Err),
        Loaded::Superseded(_) => Err(End::Superseded),
        // A server store forgets what has expired.
        Loaded::Missing | Loaded::Unreadable => Err(judge(known).unwrap_or(End::Revoked)),
    }
}

fn unknown(realm: &Realm, error: &StoreError, now: UnixSeconds) -> SessionError {
    if let Some(count) = realm.unasked.occurs(now) {
        let path = &realm.path;
        log::warn!(
            "sessions of {path:?}: {count} long responses stop, since nobody can say whether theirs go on: {error}"
        );
    }
    SessionError::Unavailable
}

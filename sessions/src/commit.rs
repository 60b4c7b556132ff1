//! From the session to the store and the cookie, once per request: decide, write, seal. Nothing else writes.

use crate::clock::UnixSeconds;
use crate::cookie::format::Lines;
use crate::cookie::keyring::KeyAge;
use crate::cookie::ticket::Ticket;
use crate::data::SessionData;
use crate::destroy::end;
use crate::encoding::{encoded, with_newer_fields};
use crate::error::{Arrival, StoreError};
use crate::failure::{CommitError, Failure};
use crate::next::{is_same, next_record, rebased};
use crate::plan::Plan;
use crate::realm::Realm;
use crate::realm::max_sessions::MaxSessions;
use crate::record::Record;
use crate::record::id::Id;
use crate::request::RequestSession;
use crate::sign_in::{Turn, may_sign_in};
use crate::state::{Base, Change, State, is_remembered};
use crate::store::{CookieStore, Loaded, Over, Write, Written};
use crate::told::{self, Step};

/// How often a write that meets conflicts is tried. Those of one process wait for each other, so only writes of
/// other processes can interfere.
const MAX_TRIES: usize = 100;

/// What the response gets.
#[derive(Default)]
pub(crate) struct Committed {
    /// The `Set-Cookie` lines.
    pub(crate) lines: Lines,
    /// The response is to say this instead.
    pub(crate) failure: Option<Failure>,
}

/// Closes a session when its response is ready. `None` if nothing is to be kept, as after most requests that read.
/// `failed` says that the response is a 5xx: then only `destroy` counts (rule 7).
pub(crate) fn close<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    failed: bool,
    now: UnixSeconds,
) -> Option<State<T>> {
    if !session.is_used() {
        return None;
    }
    session.close(|state| {
        let stays = state.change == Change::Unchanged && state.next_id.is_none();
        let touches = |base: &Base<T>| is_due(realm, session, &base.record, now);
        state.destroyed.is_none() && (failed || (stays && !state.base.as_deref().is_some_and(touches)))
    })
}

/// Commits what a session was closed with.
pub(crate) async fn commit<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    mut state: State<T>,
    empty: &str,
    failed: bool,
    now: UnixSeconds,
) -> Committed {
    let destroyed = state.destroyed.is_some();
    if destroyed
        && let Err(failure) = Box::pin(end(realm, session.request_id, state.destroyed.as_ref())).await
    {
        session.forget();
        return Committed { lines: realm.cookie.clear(&session.chunks), failure: Some(failure) };
    }
    let plan = if failed { Ok(Plan::Nothing) } else { decide(realm, session, &mut state, empty, now) };
    let is_bookkeeping = matches!(plan, Ok(Plan::Touch(..)));
    let step = match &plan {
        Ok(plan) if realm.teller.is_heard() => plan.step(&state),
        _ => Step::default(),
    };
    let limit = realm.max_sessions.as_ref();
    let kept = match plan {
        Ok(plan) if limit.is_some_and(|_| plan.is_sign_in(&state)) => {
            Box::pin(sign_in(realm, session, &mut state, plan, limit, now)).await
        }
        Ok(plan) => perform(realm, session, &state, plan, now).await,
        Err(error) => Err(error),
    };
    told::tell(realm, session, &step, &kept, now);
    let cleared = || if destroyed { realm.cookie.clear(&session.chunks) } else { Lines::new() };
    match kept {
        Ok(lines) if lines.is_empty() => Committed { lines: cleared(), failure: None },
        Ok(lines) => Committed { lines, failure: None },
        // The request does not fail because its use cannot be noted.
        Err(error) if is_bookkeeping => {
            if let Some(count) = realm.unnoted.occurs(now) {
                let (path, why) = (&realm.path, error.explain(realm));
                log::warn!("sessions of {path:?}: the last use of {count} cannot be noted: {why}");
            }
            Committed { lines: cleared(), failure: None }
        }
        Err(error) => {
            session.forget();
            told::log(realm, &error);
            Committed { lines: cleared(), failure: Some(error.failure()) }
        }
    }
}

/// Rules 3, 4 and 14, without a side effect.
fn decide<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &mut State<T>,
    empty: &str,
    now: UnixSeconds,
) -> Result<Plan<T>, CommitError> {
    let Some(base) = state.base.take() else {
        let muted = matches!(state.arrival, Arrival::Superseded | Arrival::Withheld);
        let unchanged = state.change == Change::Unchanged && state.next_id.is_none();
        if unchanged || (muted && !state.is_proven(None)) {
            return Ok(Plan::Nothing);
        }
        let data = encoded(&*state.data, empty)?;
        if data == empty && state.next_id.is_none() {
            return Ok(Plan::Nothing);
        }
        return Ok(Plan::Create(next_record(state, &*state.data, None, new_id(state)?, data, now)));
    };
    let data = if state.change == Change::Unchanged { None } else { changed(&base, &state.data)? };
    let renews = state.renews(&base.record);
    let remembers = || {
        let subject = state.data.subject();
        is_remembered(state.remember, subject.as_deref(), Some(&base.record)) != base.record.remembered
    };
    // Written over a newer version, what it was is a change too.
    let reseals = state.change != Change::Unchanged && matches!(state.arrival, Arrival::Stale { .. });
    if renews || reseals || data.is_some() || remembers() {
        let id = if renews { new_id(state)? } else { base.record.id };
        let data = data.unwrap_or_else(|| base.record.data.clone());
        let record = next_record(state, &*state.data, Some(&base.record), id, data, now);
        return Ok(Plan::Change(base, record));
    }
    if is_due(realm, session, &base.record, now) {
        let record = Record { seen: now.max(base.record.seen), ..base.record.clone() };
        return Ok(Plan::Touch(base, record));
    }
    Ok(Plan::Stay(base))
}

/// The text of changed data; `None` if it is as it was. Fields of a newer release are kept, unless the subject
/// changes.
fn changed<T: SessionData>(base: &Base<T>, data: &T) -> Result<Option<String>, CommitError> {
    let known = serde_json::to_string(&*base.data)?;
    let text = encoded(data, &known)?;
    if text == known {
        return Ok(None);
    }
    if data.subject() != base.data.subject() {
        return Ok(Some(text));
    }
    Ok(Some(with_newer_fields::<T>(text, &base.record.data, &known)))
}

/// Whether a request that only reads has to write (rule 3).
fn is_due<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    record: &Record,
    now: UnixSeconds,
) -> bool {
    session.key_age == KeyAge::Previous || realm.timeouts.touch_due(record, now)
}

/// A new id: the one that a form of this response has already, if there is one.
fn new_id<T>(state: &State<T>) -> Result<Id, CommitError> {
    Ok(state.next_id.map_or_else(Id::random, Ok)?)
}

/// Performs a sign-in where its subject may have so many sessions.
async fn sign_in<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &mut State<T>,
    mut plan: Plan<T>,
    limit: Option<&MaxSessions>,
    now: UnixSeconds,
) -> Result<Lines, CommitError> {
    let (own, came_with, record, limit) = match (&mut plan, limit) {
        (Plan::Create(record), Some(limit)) => (None, state.dead.as_ref(), record, *limit),
        (Plan::Change(base, record), Some(limit)) => (Some(&base.record), Some(&base.ticket), record, *limit),
        _ => return perform(realm, session, state, plan, now).await,
    };
    let subject = record.subject.as_deref().unwrap_or_default();
    if let Some(ledger) = realm.store.ledger() {
        // What cannot be sent must not end the others.
        lines(realm, session, record, CookieStore::written(record), now)?;
        let sealed_at = record.position.unwrap_or(0);
        if let Some(ended) = ledger.sign_in(subject, &state.data.labels(), sealed_at).await? {
            told::tell_of_limit(realm, session, subject);
            if ended.goes_on {
                (state.position, record.position) = (Some(ended.position), Some(ended.position));
            }
        }
        return perform(realm, session, state, plan, now).await;
    }
    let turn = Turn::wait(realm, limit, session.request_id, subject, own, came_with, now).await?;
    let lines = perform(realm, session, state, plan, now).await?;
    if let Some(kept) = session.kept() {
        turn.settle(&kept, now).await?;
    }
    Ok(lines)
}

/// Writes, and returns the `Set-Cookie` lines.
async fn perform<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &State<T>,
    plan: Plan<T>,
    now: UnixSeconds,
) -> Result<Lines, CommitError> {
    if let Plan::Change(base, record) = &plan
        && record.id != base.record.id
        && realm.store.ledger().is_some()
    {
        // Once the old id is entered, the old cookie is of no use: so the new one has to be one that can be sent.
        lines(realm, session, record, CookieStore::written(record), now)?;
    }
    let (base, record, ticket) = match plan {
        Plan::Nothing => return Ok(Lines::new()),
        Plan::Stay(base) => {
            session.keep(base.record, Some(base.ticket));
            return Ok(Lines::new());
        }
        Plan::Create(record) => {
            let over = match &state.dead {
                Some(ticket) => Over::Dead { ticket: ticket.text(), proven: state.is_proven(None) },
                None => Over::Nothing,
            };
            match save(realm, &record, over).await? {
                Written::Saved(ticket) => (None, record, ticket),
                // Somebody has signed in since with the same dead cookie.
                Written::Stale if state.dead.is_some() => return Ok(Lines::new()),
                Written::Stale => return Err(taken()),
            }
        }
        Plan::Touch(base, record) => match save(realm, &record, Over::Touch).await {
            Ok(Written::Saved(ticket)) => (Some(base), record, ticket),
            Ok(Written::Stale) => return Ok(Lines::new()),
            Err(error) => {
                session.keep(base.record, Some(base.ticket));
                return Err(error);
            }
        },
        Plan::Change(base, record) => match change(realm, session, state, &base, record, now).await? {
            Some((record, ticket)) => (Some(base), record, ticket),
            None => return Ok(Lines::new()),
        },
    };
    let same = |base: &Base<T>| {
        base.ticket == ticket
            && base.record.remembered == record.remembered
            && session.key_age == KeyAge::Current
    };
    if base.as_deref().is_some_and(same) {
        session.keep(record, Some(ticket));
        return Ok(Lines::new());
    }
    let kept = realm.store.is_asked().then(|| ticket.clone());
    let lines = lines(realm, session, &record, ticket, now)?;
    realm.versions.see(&record.id, record.version);
    session.keep(record, kept);
    Ok(lines)
}

/// The lines that send a record's ticket.
fn lines<T>(
    realm: &Realm,
    session: &RequestSession<T>,
    record: &Record,
    ticket: Ticket,
    now: UnixSeconds,
) -> Result<Lines, CommitError> {
    let max_age = realm.timeouts.max_age(record, now);
    let lines = realm.cookie.set(&realm.keyring, ticket, record.remembered, max_age, &session.chunks, now);
    lines.map_err(|why| CommitError::Unsendable(why, record.data.clone()))
}

async fn save(realm: &Realm, record: &Record, over: Over<'_>) -> Result<Written, CommitError> {
    let bytes = record.data.len();
    if bytes > realm.max_session_bytes && !matches!(over, Over::Touch) && realm.store.is_on_server() {
        return Err(CommitError::TooLarge(bytes, record.data.clone()));
    }
    Ok(realm.store.save(&Write { record, expires: realm.timeouts.expires(record), over }).await?)
}

/// Writes `record` over `base`. If another request was faster, merges field by field with what it wrote (rule 9).
/// If the session has ended or was renewed meanwhile, somebody who has proven who they are gets a new one (rule
/// 14); otherwise `None`.
async fn change<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &State<T>,
    base: &Base<T>,
    mut record: Record,
    now: UnixSeconds,
) -> Result<Option<(Record, Ticket)>, CommitError> {
    let renews = record.id != base.record.id;
    if !renews {
        record.version = realm.versions.above(&record.id, base.record.version);
    }
    match save(realm, &record, over(&base.record, renews)).await? {
        Written::Saved(ticket) => Ok(Some((record, ticket))),
        // A conflict is rare: its future is not to make every other one large.
        Written::Stale => Box::pin(change_again(realm, session, state, base, record, now)).await,
    }
}

/// Merges with what others wrote, one write of this process after another.
async fn change_again<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &State<T>,
    base: &Base<T>,
    record: Record,
    now: UnixSeconds,
) -> Result<Option<(Record, Ticket)>, CommitError> {
    let renews = record.id != base.record.id;
    let _turn = realm.store.queue(&base.record.id).await?;
    for _ in 0..MAX_TRIES {
        let theirs = match realm.store.load(base.ticket.text(), now).await? {
            Loaded::Found(theirs) => theirs,
            lost if state.is_proven(Some(&base.record)) && may_sign_in(base, &lost) => {
                return anew(realm, state, base, record, now).await.map(Some);
            }
            _ => {
                // The request that ended the session has told the browser so; this late response must not undo it.
                told::tell_of_lost_change(realm, session, &base.record);
                return Ok(None);
            }
        };
        let next = rebased(state, base, &record, &theirs, now)?;
        if !renews && is_same(&next, &theirs) {
            return Ok(Some((theirs, base.ticket.clone())));
        }
        if let Written::Saved(ticket) = save(realm, &next, over(&theirs, renews)).await? {
            told::tell_of_merge(realm, session, &next);
            return Ok(Some((next, ticket)));
        }
    }
    Err(StoreError::Failed(format!("{MAX_TRIES} tries met a conflict each")).into())
}

/// Keeps `record` as a new session instead of `base`, which is gone.
async fn anew<T: SessionData>(
    realm: &Realm,
    state: &State<T>,
    base: &Base<T>,
    record: Record,
    now: UnixSeconds,
) -> Result<(Record, Ticket), CommitError> {
    let record = next_record(state, &*state.data, None, record.id, record.data, now);
    match save(realm, &record, Over::Dead { ticket: base.ticket.text(), proven: true }).await? {
        Written::Saved(ticket) => Ok((record, ticket)),
        Written::Stale => Err(taken()),
    }
}

fn taken() -> CommitError {
    StoreError::Failed("a new id was taken already".into()).into()
}

fn over(old: &Record, renews: bool) -> Over<'_> {
    if renews { Over::Renewed(old) } else { Over::Version(old.version) }
}

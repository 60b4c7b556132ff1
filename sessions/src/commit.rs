//! From the session to the store and the cookie, once per request: decide, write, seal. Nothing else writes.

use crate::clock::{UnixSeconds, moment};
use crate::cookie::format::Lines;
use crate::cookie::keyring::KeyAge;
use crate::data::SessionData;
use crate::error::{Arrival, StoreError};
use crate::failure::{CommitError, Failure};
use crate::realm::Realm;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::record::merge::merge;
use crate::request::{Base, Change, Destroyed, RequestSession, State, is_remembered};
use crate::store::{Loaded, Written};

/// How often a commit that conflicts is tried. One of n concurrent commits succeeds at each try, so this is
/// also how many can meet before one of them gives up.
const MAX_TRIES: usize = 100;

/// What the response gets.
#[derive(Default)]
pub(crate) struct Committed {
    /// The `Set-Cookie` lines.
    pub(crate) lines: Lines,
    /// The response is to say this instead.
    pub(crate) failure: Option<Failure>,
}

/// What a commit has to do.
enum Write<T> {
    /// Neither the store nor the cookie changes.
    Nothing,
    /// The browser's cookie is dead: remove it.
    Clear,
    /// Only `seen` moves, or the current key seals what a previous one did. The store is asked in any case, so
    /// that a session that has ended meanwhile is not sealed again.
    Touch(Record),
    Create(Record),
    /// New data under the same id.
    Update(Box<Base<T>>, Record),
    /// A new id, with or without new data.
    Renew(Box<Base<T>>, Record),
}

/// Commits one session. `failed` says that the response is a 5xx: then only `destroy` counts (rule 7).
pub(crate) async fn commit<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    empty: &str,
    failed: bool,
) -> Committed {
    let Some(mut state) = session.close() else { return Committed::default() };
    let destroyed = state.destroyed.is_some();
    if state.arrival == Arrival::Superseded || (failed && !destroyed) {
        return Committed::default();
    }
    let write = if failed { Ok(Write::Clear) } else { decide(realm, session, &mut state, empty) };
    if let Some(Destroyed::Session(ended)) = &state.destroyed
        && let Err(failure) = end(realm, ended).await
    {
        return Committed { lines: realm.cookie.clear(&session.chunks), failure: Some(failure) };
    }
    let written = match write {
        Ok(write) => perform(realm, session, &state, write).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(lines) => Committed { lines, failure: None },
        Err(error) => {
            error.log(realm);
            let lines = if destroyed { realm.cookie.clear(&session.chunks) } else { Lines::new() };
            Committed { lines, failure: Some(error.failure()) }
        }
    }
}

/// Ends in the store what `destroy` has ended.
async fn end(realm: &Realm, ended: &Record) -> Result<(), Failure> {
    realm.store.delete(&IdHash::of(&ended.id)).await.map_err(|error| {
        let until = moment(realm.timeouts.expires(ended));
        let handle = realm.keyring.handle(&ended.id);
        log::error!(
            "sessions of {:?}: cannot end {handle}, whose copy lives until {until}: {error}",
            realm.path
        );
        Failure::Unavailable { copy_lives_until: Some(until) }
    })
}

/// Rules 3 and 4, without a side effect.
fn decide<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &mut State<T>,
    empty: &str,
) -> Result<Write<T>, CommitError> {
    let now = session.now;
    let Some(base) = state.base.take() else {
        if state.change > Change::Unchanged {
            let data = serde_json::to_string(&*state.data)?;
            if data != empty {
                return Ok(Write::Create(next_record(state, &*state.data, None, Id::random()?, data, now)));
            }
        }
        return Ok(if state.arrival == Arrival::Absent { Write::Nothing } else { Write::Clear });
    };
    let data = match state.change {
        Change::Unchanged => None,
        _ => Some(serde_json::to_string(&*state.data)?).filter(|data| *data != base.record.data),
    };
    let subject_changed = data.is_some() && state.data.subject().as_deref() != base.record.subject.as_deref();
    let renews = state.change >= Change::Renewed || subject_changed;
    let remembers = || {
        let subject = state.data.subject();
        is_remembered(state.remember, subject.as_deref(), Some(&base.record)) != base.record.remembered
    };
    if renews || data.is_some() || remembers() {
        let id = if renews { Id::random()? } else { base.record.id };
        let data = data.unwrap_or_else(|| base.record.data.clone());
        let record = next_record(state, &*state.data, Some(&base.record), id, data, now);
        return Ok(if renews { Write::Renew(base, record) } else { Write::Update(base, record) });
    }
    let due = session.key_age == KeyAge::Previous || realm.timeouts.touch_due(&base.record, now);
    Ok(if due { Write::Touch(Record { seen: now, ..base.record }) } else { Write::Nothing })
}

/// The record that a write at `now` keeps, as a change of `base` or as a new session.
fn next_record<T: SessionData>(
    state: &State<T>,
    data: &T,
    base: Option<&Record>,
    id: Id,
    text: String,
    now: UnixSeconds,
) -> Record {
    let subject = data.subject().map(|subject| subject.into_owned());
    let proven =
        state.change == Change::Proven || base.and_then(|base| base.subject.as_ref()) != subject.as_ref();
    let before = base.and_then(|base| base.signed_in);
    Record {
        id,
        created: base.map_or(now, |base| base.created),
        seen: now,
        version: base.map_or(1, |base| base.version.saturating_add(1)),
        data: text,
        remembered: is_remembered(state.remember, subject.as_deref(), base),
        signed_in: subject.as_ref().and(if proven { Some(now) } else { before }),
        subject,
    }
}

/// Writes, and returns the `Set-Cookie` lines.
async fn perform<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    state: &State<T>,
    write: Write<T>,
) -> Result<Lines, CommitError> {
    let expires = |record: &Record| realm.timeouts.expires(record);
    let (record, written) = match write {
        Write::Nothing => return Ok(Lines::new()),
        Write::Clear => return Ok(realm.cookie.clear(&session.chunks)),
        Write::Touch(record) => {
            let written = realm.store.touch(&record, expires(&record)).await?;
            (record, written)
        }
        Write::Create(record) => {
            let written = realm.store.create(&record, expires(&record)).await?;
            (record, written)
        }
        Write::Update(base, mut record) | Write::Renew(base, mut record) => {
            let written = write_over(realm, state, &base, &mut record, session.now).await?;
            (record, written)
        }
    };
    match written {
        Written::Saved(ticket) => {
            let max_age = realm.timeouts.max_age(&record, session.now);
            let lines = realm.cookie.set(&realm.keyring, ticket, max_age, &session.chunks);
            lines.map_err(|why| CommitError::Unsendable(why, record.data))
        }
        // The request that ended the session has told the browser so; this late response must not undo it.
        Written::Gone => {
            let handle = realm.keyring.handle(&record.id);
            log::info!("session {handle} was ended while a request changed it: the change is not kept");
            Ok(Lines::new())
        }
        Written::Conflict => Err(CommitError::Store(StoreError::Failed("a new id was taken already".into()))),
    }
}

/// Writes `record` over `base`. If another request was faster, merges field by field with what it wrote
/// and tries again (rule 9).
async fn write_over<T: SessionData>(
    realm: &Realm,
    state: &State<T>,
    base: &Base<T>,
    record: &mut Record,
    now: UnixSeconds,
) -> Result<Written, CommitError> {
    let renews = record.id != base.record.id;
    let mut mine = None;
    let mut expected = base.record.version;
    for _ in 0..MAX_TRIES {
        let expires = realm.timeouts.expires(record);
        let written = if renews {
            realm.store.renew(&base.record.id, record, expected, expires).await?
        } else {
            realm.store.update(record, expected, expires).await?
        };
        if written != Written::Conflict {
            return Ok(written);
        }
        match realm.store.load(base.ticket.text(), now).await? {
            Loaded::Found(theirs) => {
                expected = theirs.version;
                let mine = mine.get_or_insert_with(|| std::mem::take(&mut record.data));
                *record = merged(state, base, mine, theirs, record.id, now)?;
            }
            Loaded::Missing | Loaded::Superseded | Loaded::Unreadable => return Ok(Written::Gone),
        }
    }
    Err(CommitError::Store(StoreError::Failed(format!("{MAX_TRIES} tries met a conflict each"))))
}

/// What to write after a conflict: their record with my changes.
fn merged<T: SessionData>(
    state: &State<T>,
    base: &Base<T>,
    mine: &str,
    theirs: Record,
    id: Id,
    now: UnixSeconds,
) -> Result<Record, CommitError> {
    let text = merge(&serde_json::to_string(&*base.data)?, mine, &theirs.data)?;
    let both: T = serde_json::from_str(&text)?;
    Ok(next_record(state, &both, Some(&theirs), id, text, now))
}

//! From the session to the store and the cookie, once per request: decide, write, seal.
//!
//! This is the only place that writes.

use time::OffsetDateTime;

use super::SessionData;
use super::clock::{UnixSeconds, moment};
use super::cookie::{Lines, Unsendable};
use super::error::{Arrival, StoreError};
use super::id_hash::IdHash;
use super::keyring::KeyAge;
use super::live::{Base, Change, Live, State};
use super::merge::{largest_fields, merge};
use super::realm::Realm;
use super::record::{Id, Record};
use super::sent::SentChunks;
use super::store::{Loaded, Written};

/// How often a commit that conflicts is tried. Of n commits that meet, one succeeds at each try, so
/// this is also how many can meet before one of them gives up.
const TRIES: usize = 100;

/// What the response gets.
#[derive(Default)]
pub(crate) struct Committed {
    /// The Set-Cookie lines.
    pub(crate) lines: Lines,
    /// The response is to say so instead.
    pub(crate) failure: Option<Failure>,
}

/// Why a commit failed. Nothing is lost: the browser keeps the cookie it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The store cannot be asked: 503.
    Unavailable {
        /// After a `destroy`: until when the server's copy lives unless it is ended otherwise.
        copy_lives_until: Option<OffsetDateTime>,
    },
    /// The session is larger than `max_cookie_bytes`: 500.
    TooLarge,
}

impl Failure {
    pub(crate) fn status(self) -> rocket::http::Status {
        match self {
            Failure::Unavailable { .. } => rocket::http::Status::ServiceUnavailable,
            Failure::TooLarge => rocket::http::Status::InternalServerError,
        }
    }
}

/// What is to be done: one of these for each session of a request.
enum Write<T> {
    /// Neither the store nor the cookie changes.
    Nothing,
    /// The browser's cookie is dead: remove it.
    Clear,
    /// Only `seen` moves, or the current key seals what a previous one did. The store is asked all the
    /// same: what has ended meanwhile is not sealed anew.
    Touch(Record),
    /// A new session.
    Create(Record),
    /// New data, under the same id.
    Update(Box<Base<T>>, Record),
    /// A new id, with or without new data.
    Rotate(Box<Base<T>>, Record),
}

/// Commits one session. `failed` says that the response is a 5xx: then only `destroy` counts (rule 7).
pub(crate) async fn commit<T: SessionData>(
    realm: &Realm,
    live: &Live<T>,
    empty: &str,
    failed: bool,
) -> Committed {
    let now = live.now;
    let Some(mut state) = live.close() else { return Committed::default() };
    if live.arrival == Arrival::Superseded || (failed && !state.destroyed) {
        return Committed::default();
    }
    let write = match failed {
        true => Ok(Write::Clear),
        false => decide(realm, live, &mut state, empty, now),
    };
    if let (Ok(Write::Nothing), None) = (&write, &state.ended) {
        return Committed::default();
    }
    if let Some(ended) = &state.ended
        && let Err(failure) = end(realm, ended).await
    {
        return Committed { lines: realm.cookie.clear(&live.sent), failure: Some(failure) };
    }
    let written = match write {
        Ok(mut write) => perform(realm, &live.sent, &state, &mut write, now).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(lines) => Committed { lines, failure: None },
        Err(failed) => {
            failed.log(realm);
            let lines = if state.destroyed { realm.cookie.clear(&live.sent) } else { Lines::new() };
            Committed { lines, failure: Some(failed.failure()) }
        }
    }
}

/// Ends in the store what `destroy` has ended.
async fn end(realm: &Realm, ended: &Record) -> Result<(), Failure> {
    realm.bounded(realm.store.delete(&IdHash::of(&ended.id))).await.map_err(|error| {
        let until = moment(realm.lifetimes.end(ended));
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
    live: &Live<T>,
    state: &mut State<T>,
    empty: &str,
    now: UnixSeconds,
) -> Result<Write<T>, CommitError> {
    let Some(base) = state.base.take() else {
        let sent_something = live.arrival != Arrival::Absent;
        if state.change > Change::Unchanged {
            let data = serde_json::to_string(&*state.data)?;
            if data != empty {
                return Ok(Write::Create(state.next_record(None, Id::random()?, data, now)));
            }
        }
        return Ok(if sent_something { Write::Clear } else { Write::Nothing });
    };
    let data = match state.change {
        Change::Unchanged => None,
        Change::Modified | Change::Renewed => Some(serde_json::to_string(&*state.data)?),
    };
    let modified = match data {
        Some(data) if is_change(&data, &base)? => Some(data),
        _ => None,
    };
    let subject_changed =
        modified.is_some() && state.data.subject().as_deref() != base.record.subject.as_deref();
    if state.change == Change::Renewed || subject_changed {
        let data = modified.unwrap_or_else(|| base.record.data.clone());
        let record = state.next_record(Some(&base.record), Id::random()?, data, now);
        return Ok(Write::Rotate(base, record));
    }
    if modified.is_some() || state.remembered(Some(&base.record)) != base.record.remembered {
        let data = modified.unwrap_or_else(|| base.record.data.clone());
        let record = state.next_record(Some(&base.record), base.record.id, data, now);
        return Ok(Write::Update(base, record));
    }
    let due = live.key_age == KeyAge::Previous || realm.lifetimes.renewal_due(&base.record, now);
    Ok(if due { Write::Touch(Record { seen: now, ..base.record }) } else { Write::Nothing })
}

/// Whether `data` says anything else than what was loaded. A map may be written in another order than it
/// was read in: that has the same letters, and is no change.
fn is_change<T: SessionData>(data: &str, base: &Base<T>) -> Result<bool, CommitError> {
    let before = &base.record.data;
    let letters = |text: &str| (text.len(), text.bytes().map(u64::from).sum::<u64>());
    let same =
        data == before || (letters(data) == letters(before) && serde_json::to_string(&*base.data)? == data);
    Ok(!same)
}

/// Does it, and returns the Set-Cookie lines. What is written stays where it is: only a conflict
/// changes it.
async fn perform<T: SessionData>(
    realm: &Realm,
    sent: &SentChunks,
    state: &State<T>,
    write: &mut Write<T>,
    now: UnixSeconds,
) -> Result<Lines, CommitError> {
    let until = |record: &Record| realm.lifetimes.end(record);
    let (record, written) = match write {
        Write::Nothing => return Ok(Lines::new()),
        Write::Clear => return Ok(realm.cookie.clear(sent)),
        Write::Touch(record) => {
            let written = realm.bounded(realm.store.touch(record, until(record))).await?;
            (&*record, written)
        }
        Write::Create(record) => {
            let written = realm.bounded(realm.store.create(record, until(record))).await?;
            (&*record, written)
        }
        Write::Update(base, record) | Write::Rotate(base, record) => {
            let written = write_over(realm, state, base, record, now).await?;
            (&*record, written)
        }
    };
    match written {
        Written::Saved(ticket) => {
            let max_age = realm.lifetimes.max_age(record, now);
            let lines = realm.cookie.set(&realm.keyring, ticket, max_age, sent);
            lines.map_err(|why| CommitError::Unsendable(why, record.data.clone()))
        }
        // Whoever ended the session has told the browser so; a late response must not undo it.
        Written::Gone => {
            let handle = realm.keyring.handle(&record.id);
            log::info!("session {handle} was ended while a request changed it: the change is not kept");
            Ok(Lines::new())
        }
        Written::Conflict => Err(CommitError::Store(StoreError::Failed("a new id was taken already".into()))),
    }
}

/// Writes `record` over `base`. When somebody else was faster, merges field by field with what they
/// wrote and tries again (rule 9).
async fn write_over<T: SessionData>(
    realm: &Realm,
    state: &State<T>,
    base: &Base<T>,
    record: &mut Record,
    now: UnixSeconds,
) -> Result<Written, CommitError> {
    let rotates = record.id != base.record.id;
    let mut mine = None;
    let mut expected = base.record.version;
    for _ in 0..TRIES {
        let until = realm.lifetimes.end(record);
        let written = match rotates {
            true => realm.bounded(realm.store.rotate(&base.record.id, record, expected, until)).await?,
            false => realm.bounded(realm.store.update(record, expected, until)).await?,
        };
        if written != Written::Conflict {
            return Ok(written);
        }
        match realm.bounded(realm.store.load(base.ticket.text(), now)).await? {
            Loaded::Found(theirs) => {
                expected = theirs.version;
                let mine = mine.get_or_insert_with(|| std::mem::take(&mut record.data));
                *record = merged(state, base, mine, theirs, record.id, now)?;
            }
            Loaded::Missing | Loaded::Superseded | Loaded::Unreadable => return Ok(Written::Gone),
        }
    }
    Err(CommitError::Store(StoreError::Failed(format!("{TRIES} tries met a conflict each"))))
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
    let data = merge(&serde_json::to_string(&*base.data)?, mine, &theirs.data)?;
    let both: T = serde_json::from_str(&data)?;
    let resolved =
        State { data: both.into(), remember: state.remember, proven: state.proven, ..State::empty(None) };
    Ok(resolved.next_record(Some(&theirs), id, data, now))
}

/// Why a commit failed, with what the log says.
enum CommitError {
    Store(StoreError),
    Encoding(serde_json::Error),
    Random(getrandom::Error),
    Unsendable(Unsendable, String),
}

impl CommitError {
    fn failure(&self) -> Failure {
        match self {
            CommitError::Unsendable(Unsendable::TooLarge { .. }, _) => Failure::TooLarge,
            _ => Failure::Unavailable { copy_lives_until: None },
        }
    }

    fn log(&self, realm: &Realm) {
        let path = &realm.path;
        match self {
            CommitError::Store(error) => log::error!("sessions of {path:?}: cannot save: {error}"),
            // Its text may show a value of the session.
            CommitError::Encoding(error) => log::error!(
                "sessions of {path:?}: cannot encode or merge the data: a {:?} error at line {}, column {}",
                error.classify(),
                error.line(),
                error.column()
            ),
            CommitError::Random(error) => log::error!("sessions of {path:?}: no random bits: {error}"),
            CommitError::Unsendable(Unsendable::SealFailed, _) => {
                log::error!("sessions of {path:?}: cannot seal")
            }
            CommitError::Unsendable(Unsendable::TooLarge { bytes, limit }, data) => {
                let fields =
                    largest_fields(data).into_iter().map(|(name, bytes)| format!("{name:?} {bytes} bytes"));
                log::error!(
                    "sessions of {path:?}: a session of {bytes} bytes of Set-Cookie is above max_cookie_bytes = \
                     {limit} and is not sent; the browser keeps the old one. Largest fields: {}",
                    fields.collect::<Vec<_>>().join(", "),
                );
            }
        }
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        CommitError::Store(error)
    }
}

impl From<serde_json::Error> for CommitError {
    fn from(error: serde_json::Error) -> Self {
        CommitError::Encoding(error)
    }
}

impl From<getrandom::Error> for CommitError {
    fn from(error: getrandom::Error) -> Self {
        CommitError::Random(error)
    }
}

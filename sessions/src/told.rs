//! What a commit tells the app's listeners.

use crate::clock::UnixSeconds;
use crate::cookie::format::Lines;
use crate::data::SessionData;
use crate::events::{About, By, Kind, Name};
use crate::failure::CommitError;
use crate::realm::Realm;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::request::RequestSession;

/// What a commit is about to do to a session; by default nothing that is told.
#[derive(Default)]
pub(crate) struct Step {
    old: Option<Id>,
    opens: bool,
    kind: Option<Kind>,
}

impl Step {
    /// `base` is the session as it was loaded, `record` as it is to be kept.
    pub(crate) fn new(base: Option<&Record>, record: &Record, is_proven: bool) -> Step {
        let is_same_subject = base.is_some_and(|base| base.subject == record.subject);
        let kind = match &record.subject {
            Some(_) if is_proven && is_same_subject => Some(Kind::Reauthenticated),
            Some(_) if is_proven => Some(Kind::SignedIn),
            _ => base.filter(|base| base.id != record.id).map(|_| Kind::Renewed),
        };
        Step { old: base.map(|base| base.id), opens: base.is_none(), kind }
    }
}

/// Tells what has become of a session.
pub(crate) fn tell<T: SessionData>(
    realm: &Realm,
    session: &RequestSession<T>,
    step: &Step,
    outcome: &Result<Lines, CommitError>,
    now: UnixSeconds,
) {
    if !realm.teller.is_heard() {
        return;
    }
    let (request, old) = (session.request_id, step.old.as_ref().map(Name::Id));
    let lines = match outcome {
        Ok(lines) => lines,
        Err(error) => {
            let why = error.explain(realm);
            let about = About { session: old, request, why: Some(&why), ..About::default() };
            return realm.teller.tell(error.event(), about);
        }
    };
    let Some(kept) = session.kept() else { return };
    let (name, subject) = (Some(Name::Id(&kept.record.id)), kept.record.subject.as_deref());
    let about = About { session: name, subject, request, ..About::default() };
    if step.opens {
        realm.teller.tell(Kind::Opened, about);
    }
    if let Some(kind) = step.kind {
        realm.teller.tell(kind, About { before: old, ..about });
    }
    if !lines.is_empty() {
        let bytes = lines.iter().map(String::len).sum();
        realm.teller.tell(Kind::Sealed { bytes, seals: realm.keyring.seals(now) }, about);
    }
}

/// Logs why a session is not kept, unless a listener has done so.
pub(crate) fn log(realm: &Realm, error: &CommitError) {
    if !realm.teller.logs() {
        log::log!(error.level(), "sessions of {:?}: {}", realm.path, error.explain(realm));
    }
}

/// Tells that a sign-in has ended the subject's other sessions, where it may have one.
pub(crate) fn tell_of_limit<T>(realm: &Realm, session: &RequestSession<T>, subject: &str) {
    let about = About { subject: Some(subject), request: session.request_id, ..About::default() };
    realm.teller.tell(Kind::AllEnded { by: By::Limit, count: None }, about);
}

/// Tells that the changes of two requests are both kept.
pub(crate) fn tell_of_merge<T>(realm: &Realm, session: &RequestSession<T>, record: &Record) {
    realm.teller.tell(Kind::Merged, about(session, record));
}

/// Logs and tells that a session was ended while a request changed it.
pub(crate) fn tell_of_lost_change<T>(realm: &Realm, session: &RequestSession<T>, record: &Record) {
    if !realm.teller.logs() {
        let handle = realm.keyring.handle(&IdHash::of(&record.id));
        log::info!("session {handle} was ended while a request changed it: the change is not kept");
    }
    realm.teller.tell(Kind::ChangeLost, about(session, record));
}

fn about<'e, T>(session: &RequestSession<T>, record: &'e Record) -> About<'e> {
    let subject = record.subject.as_deref();
    About { session: Some(Name::Id(&record.id)), subject, request: session.request_id, ..About::default() }
}

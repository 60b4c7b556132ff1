//! Ending a session that is written or renewed all the time, and renewals that fail.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use rocket::async_trait;
use sealed_sessions::store::{
    Backend, Id, IdHash, Loaded, Over, Record, Row, ServerStore, Store, StoreError, SubjectHash, UnixSeconds,
    Write, Written,
};

use crate::site::record;
use crate::support::new;

const NOW: UnixSeconds = 1_000;

/// Rows that somebody else writes again after each look at them.
#[derive(Default)]
struct Contended {
    rows: Mutex<HashMap<IdHash, Row>>,
    /// So many times somebody else's write is faster than the removal.
    refusals: AtomicUsize,
    /// No row is replaced: the answer is this.
    replaces: Option<fn() -> Result<bool, StoreError>>,
    /// So many looks at a row are answered.
    looks: Option<AtomicUsize>,
}

impl Contended {
    fn rows(&self) -> MutexGuard<'_, HashMap<IdHash, Row>> {
        self.rows.lock().unwrap()
    }
}

/// Takes one away; `false` if there is none.
fn counts_down(counter: &AtomicUsize) -> bool {
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Backend for Contended {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        if self.looks.as_ref().is_some_and(|looks| !counts_down(looks)) {
            return Err(StoreError::TimedOut);
        }
        let mut rows = self.rows();
        let Some(row) = rows.get_mut(id) else { return Ok(None) };
        let found = row.clone();
        if row.version > 0 {
            row.version += 1;
        }
        Ok(Some(found))
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        Ok(self.rows().insert(*id, row.clone()).is_none())
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        if let Some(answer) = self.replaces {
            return answer();
        }
        let mut rows = self.rows();
        let row = rows.get(id).and_then(|old| old.replaced(expected, row));
        Ok(row.map(|row| rows.insert(*id, row)).is_some())
    }

    async fn touch(&self, _: &IdHash, _: UnixSeconds, _: UnixSeconds) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        if counts_down(&self.refusals) {
            return Ok(false);
        }
        let mut rows = self.rows();
        let found = rows.get(id).is_some_and(|row| versions.contains(&row.version));
        Ok(found && rows.remove(id).is_some())
    }

    async fn of_subject(&self, _: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        Ok(self.rows().iter().map(|(id, row)| (*id, row.clone())).collect())
    }
}

/// A store with Ada's session in it.
async fn signed_in() -> (ServerStore, Record) {
    signed_in_to(Contended::default()).await
}

async fn signed_in_to(backend: Contended) -> (ServerStore, Record) {
    let store = ServerStore::new(backend, "__Host-shop");
    let record = Record { subject: Some("ada".to_owned()), signed_in: Some(NOW), ..record(NOW) };
    store.save(&new(&record, NOW + 60)).await.unwrap();
    (store, record)
}

async fn is_missing(store: &ServerStore, id: &Id) -> bool {
    matches!(store.load(&id.to_text(), NOW).await, Ok(Loaded::Missing))
}

#[rocket::async_test]
async fn writes_do_not_keep_a_session_from_being_ended() {
    let (store, record) = signed_in().await;
    store.delete(&record.id.to_text()).await.unwrap();
    assert!(is_missing(&store, &record.id).await);

    let (store, record) = signed_in().await;
    assert_eq!(store.revoke().unwrap().end_all("ada", None, NOW).await.unwrap(), 1);
    assert!(is_missing(&store, &record.id).await);
}

#[rocket::async_test]
async fn a_session_that_could_not_be_removed_is_not_said_to_have_ended() {
    let refusing = |refusals| Contended { refusals: AtomicUsize::new(refusals), ..Contended::default() };
    let (store, record) = signed_in_to(refusing(5)).await;
    store.delete(&record.id.to_text()).await.unwrap();
    assert!(is_missing(&store, &record.id).await);

    let (store, record) = signed_in_to(refusing(usize::MAX)).await;
    assert!(store.delete(&record.id.to_text()).await.is_err());
    assert!(store.revoke().unwrap().end_all("ada", None, NOW).await.is_err());
    assert!(!is_missing(&store, &record.id).await);
}

#[rocket::async_test]
async fn a_session_is_ended_through_many_renewals() {
    let (store, first) = signed_in().await;
    let mut last = first.clone();
    for _ in 0..15 {
        let next = Record { id: record(NOW).id, ..last.clone() };
        let write = Write { record: &next, expires: NOW + 60, over: Over::Renewed(&last) };
        assert!(matches!(store.save(&write).await.unwrap(), Written::Saved(_)));
        last = next;
    }
    store.delete(&first.id.to_text()).await.unwrap();
    assert!(is_missing(&store, &last.id).await);
}

#[rocket::async_test]
async fn a_renewal_that_fails_leaves_no_session_that_nobody_has() {
    let failing = Contended { replaces: Some(|| Err(StoreError::TimedOut)), ..Contended::default() };
    // It looks at the old one once it has not become a marker.
    let looks = Some(AtomicUsize::new(0));
    let silent = Contended { replaces: Some(|| Ok(false)), looks, ..Contended::default() };
    for backend in [failing, silent] {
        let (store, old) = signed_in_to(backend).await;
        let next = Record { id: record(NOW).id, ..old.clone() };
        let renewal =
            store.save(&Write { record: &next, expires: NOW + 60, over: Over::Renewed(&old) }).await;
        assert!(renewal.is_err(), "{renewal:?}");
        let listed = store.list().unwrap().of_subject("ada", NOW).await.unwrap();
        assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [IdHash::of(&old.id)]);
    }
}

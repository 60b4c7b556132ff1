//! A store of your own: six steps on rows of bytes, here in a map. It keeps the whole contract:
//! `cargo run -p sealed-sessions --example own_store` checks it.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sealed_sessions::conformance;
use sealed_sessions::store::{
    Backend, IdHash, Row, ServerStore, Store, StoreError, SubjectHash, UnixSeconds,
};

/// The rows by the hashes of their ids.
#[derive(Default)]
pub struct Rows(Mutex<HashMap<IdHash, Row>>);

impl Rows {
    fn lock(&self) -> MutexGuard<'_, HashMap<IdHash, Row>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[rocket::async_trait]
impl Backend for Rows {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        Ok(self.lock().get(id).cloned())
    }
    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        Ok(!rows.contains_key(id) && rows.insert(*id, row.clone()).is_none())
    }
    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let row = rows.get(id).and_then(|old| old.replaced(expected, row));
        Ok(row.map(|row| rows.insert(*id, row)).is_some())
    }
    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let row = rows.get(id).and_then(|old| old.touched(seen, expires));
        Ok(row.map(|row| rows.insert(*id, row)).is_some())
    }
    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let found = rows.get(id).is_some_and(|row| versions.contains(&row.version));
        Ok(found && rows.remove(id).is_some())
    }
    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let rows = self.lock();
        let found = rows.iter().filter(|(_, row)| row.subject.as_ref() == Some(subject));
        Ok(found.map(|(id, row)| (*id, row.clone())).collect())
    }
}

#[rocket::main]
async fn main() {
    // An app would attach Sessions::<Visitor>::fairing().store("rows", store) and set store = "rows".
    let store: Arc<dyn Store> = Arc::new(ServerStore::new(Rows::default(), "__Host-Http-session"));
    let report = conformance::check(&store).await;
    println!("{report}");
    std::process::exit(if report.passed() { 0 } else { 1 });
}

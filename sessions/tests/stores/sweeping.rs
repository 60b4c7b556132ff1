//! Batch after batch of a sweep.

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::Duration;

use rocket::async_trait;
use rocket::tokio::time::sleep;
use sealed_sessions::store::{
    Backend, IdHash, Leases, Row, ServerStore, Store, StoreError, SubjectHash, UnixSeconds,
};

/// Has more to sweep each time. Its leases take a while to be released.
#[derive(Default)]
struct Full(Mutex<Option<[u8; 16]>>);

#[async_trait]
impl Leases for Full {
    async fn grant(&self, _: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        Ok(self.0.lock().unwrap().get_or_insert(*holder) == holder)
    }

    async fn release(&self, _: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        sleep(Duration::from_millis(50)).await;
        self.0.lock().unwrap().take_if(|held| held == holder);
        Ok(())
    }
}

#[async_trait]
impl Backend for Full {
    async fn get(&self, _: &IdHash) -> Result<Option<Row>, StoreError> {
        Ok(None)
    }

    async fn insert(&self, _: &IdHash, _: &Row) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn replace(&self, _: &IdHash, _: u32, _: &Row) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn touch(&self, _: &IdHash, _: UnixSeconds, _: UnixSeconds) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn remove(&self, _: &IdHash, _: RangeInclusive<u32>) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn of_subject(&self, _: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        Ok(Vec::new())
    }

    async fn sweep(&self, _: UnixSeconds) -> Result<u64, StoreError> {
        Ok(1000)
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

#[rocket::async_test]
async fn the_next_batch_does_not_find_the_lease_of_the_one_before() {
    let store = ServerStore::new(Full::default(), "__Host-shop");
    for _ in 0..3 {
        assert_eq!(store.service().unwrap().sweep(0).await.unwrap(), 1000);
    }
}

//! Leases in a collection.

use std::time::{Duration, SystemTime};

use mongodb::Collection;
use mongodb::bson::{DateTime, Document, doc};

use super::faults::{failed, is_taken};
use super::{LEASES, Mongo, text};
use crate::error::StoreError;
use crate::store::server::backend::{LEASE_SECONDS, Leases};

impl Mongo {
    async fn leases(&self) -> Result<Collection<Document>, StoreError> {
        self.connection.collection(LEASES).await
    }
}

/// Uses the clocks of the processes, which must agree to within a few seconds: not every server with
/// MongoDB's protocol tells an update its own.
#[rocket::async_trait]
impl Leases for Mongo {
    /// Makes the lease, or takes over one whose time is over.
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        let leases = self.leases().await?;
        let (name, holder) = (text(name), text(holder));
        let now = SystemTime::now();
        let forget_at = DateTime::from_system_time(now + Duration::from_secs(LEASE_SECONDS));
        match leases.insert_one(doc! { "_id": &name, "holder": &holder, "forget_at": forget_at }).await {
            Ok(_) => return Ok(true),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(failed(error)),
        }
        let over = doc! { "forget_at": { "$lte": DateTime::from_system_time(now) } };
        let free = doc! { "_id": name, "$or": [over, { "holder": &holder }] };
        let extended = doc! { "$set": { "holder": holder, "forget_at": forget_at } };
        Ok(leases.update_one(free, extended).await.map_err(failed)?.matched_count == 1)
    }

    /// Tries once more where the connection was lost: nobody else would.
    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        let held = doc! { "_id": text(name), "holder": text(holder) };
        self.leases().await?.delete_one(held).await.map(drop).map_err(failed)
    }
}

//! What a log may do beyond keeping entries: tell the other nodes at once that there is something to read.

use rocket::futures::stream::BoxStream;

use crate::error::StoreError;

/// Hints between the nodes that share a log. A hint is never the truth: it leads to a reading, which every node does
/// each second in any case. One that is lost costs that second, and one that says nothing new costs a reading.
#[rocket::async_trait]
pub trait Hints: Send + Sync {
    /// Tells everyone who listens that there are entries up to `position`. Never part of the step that appends them.
    ///
    /// # Errors
    /// When it may not have been told. Logged; the entries are there all the same.
    async fn send(&self, position: u64) -> Result<(), StoreError>;

    /// Listens from now on: the positions of the hints that come. The stream ends when the connection does.
    ///
    /// # Errors
    /// When the database cannot be listened to now.
    async fn listen(&self) -> Result<BoxStream<'static, u64>, StoreError>;
}

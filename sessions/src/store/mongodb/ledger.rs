//! A ledger in a collection: a document for each entry.

use std::sync::Arc;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Document, doc};
use mongodb::{Collection, IndexModel};
use rocket::futures::TryStreamExt as _;
use rocket::tokio::sync::Mutex;
use rocket::tokio::task::yield_now;

use super::connection::Connection;
use super::faults::{are_taken, failed, is_conflict, is_taken};
use super::{BATCH, bytes, integer, text};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::ledger::{Line, Log, Page};

const LEDGER: &str = "sealed_session_ledger";

/// How often an entry finds that its position was taken by one of another node at the same moment.
const MAX_TRIES: usize = 1000;

/// The claim is at position 0.
const CLAIM: u64 = 0;

/// Keeps entries in the collection `sealed_session_ledger`, by their namespaces and positions.
struct MongoLog {
    connection: Connection,
    namespace: String,
    /// A node's own entries take turns: at once they would only take each other's positions.
    turn: Mutex<()>,
}

pub(crate) fn open_log(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    let namespace = namespace.to_owned();
    Ok(Arc::new(MongoLog { connection: Connection::new(setting)?, namespace, turn: Mutex::default() }))
}

impl MongoLog {
    async fn entries(&self) -> Result<Collection<Document>, StoreError> {
        self.connection.collection(LEDGER).await
    }

    /// Ids are in the order of positions. No namespace has a colon.
    fn id(&self, position: u64) -> String {
        format!("{}:{position:020}", self.namespace)
    }

    fn document(&self, position: u64, line: &Line) -> Document {
        let body = Binary { subtype: BinarySubtype::Generic, bytes: line.body.clone() };
        doc! { "_id": self.id(position), "until": line.until, "body": body }
    }

    /// The position of a document, which has an id of this namespace.
    fn position(&self, document: &Document) -> Result<u64, StoreError> {
        let id = document.get_str("_id").map_err(|_| damaged())?;
        id.rsplit_once(':').and_then(|(_, digits)| digits.parse().ok()).ok_or_else(damaged)
    }

    fn entry(&self, document: &Document) -> Result<(u64, Line), StoreError> {
        let until = document.get("until").and_then(integer).ok_or_else(damaged)?;
        let body = document.get_binary_generic("body").map_err(|_| damaged())?.clone();
        Ok((self.position(document)?, Line { until, body }))
    }

    /// The position of the last entry, or of the `first` one, above this one.
    async fn beyond(&self, position: u64, first: bool) -> Result<Option<u64>, StoreError> {
        let beyond = doc! { "_id": { "$gt": self.id(position), "$lte": self.id(u64::MAX) } };
        let order = doc! { "_id": if first { 1 } else { -1 } };
        let found = self.entries().await?.find_one(beyond).sort(order).await.map_err(failed)?;
        found.as_ref().map(|document| self.position(document)).transpose()
    }

    /// Adds a document; `false` if there is one with its id.
    async fn insert(&self, document: Document) -> Result<bool, StoreError> {
        match self.entries().await?.insert_one(document).await {
            Ok(_) => Ok(true),
            Err(error) if is_taken(&error) || is_conflict(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

fn damaged() -> StoreError {
    StoreError::Failed("an entry of the ledger in MongoDB is not as it was written".into())
}

#[rocket::async_trait]
impl Log for MongoLog {
    async fn start(&self) -> Result<(), StoreError> {
        let forgetting = IndexModel::builder().keys(doc! { "until": 1 }).build();
        self.entries().await?.create_index(forgetting).await.map(drop).map_err(failed)
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let rest = doc! { "_id": { "$gte": self.id(from.max(1)), "$lte": self.id(u64::MAX) } };
        let both = doc! { "$or": [{ "_id": self.id(CLAIM) }, rest] };
        // In one batch if they fit into one. The claim may come first.
        let size = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
        let entries = self.entries().await?;
        let found = entries.find(both).sort(doc! { "_id": 1 }).limit(size.into()).batch_size(size);
        let found = found.await.map_err(failed)?;
        let documents: Vec<Document> = found.try_collect().await.map_err(failed)?;
        let mut page = Page::default();
        for document in &documents {
            if let Ok(claim) = document.get_str("claim") {
                page.claim = Some(bytes(claim).ok_or_else(damaged)?);
            } else {
                page.lines.push(self.entry(document)?);
            }
        }
        page.lines.truncate(limit);
        Ok(page)
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        let (id, claim) = (self.id(CLAIM), text(claim));
        let Some(expected) = expected else {
            return self.insert(doc! { "_id": id, "claim": claim }).await;
        };
        let held = doc! { "_id": id, "claim": text(expected) };
        match self.entries().await?.update_one(held, doc! { "$set": { "claim": claim } }).await {
            Ok(updated) => Ok(updated.matched_count == 1),
            Err(error) if is_conflict(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Goes after the last entry, and again if another one was faster. Also if an entry was put far above meanwhile,
    /// since those who have read that one never look below it; an entry that is there twice does no harm.
    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        let _turn = self.turn.lock().await;
        for _ in 0..MAX_TRIES {
            let Some(last) = self.beyond(CLAIM, false).await? else { return Ok(None) };
            let position = last + 1;
            if self.insert(self.document(position, line)).await?
                && self.beyond(position, true).await?.is_none_or(|next| next == position + 1)
            {
                return Ok(Some(position));
            }
            yield_now().await;
        }
        Err(StoreError::Failed("entries are appended faster than this one".into()))
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let documents = lines.iter().map(|(position, line)| self.document(*position, line));
        match self.entries().await?.insert_many(documents).ordered(false).await {
            Err(error) if !are_taken(&error) => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// By the earlier of this clock and the server's, if that one tells: one that is ahead must not bring back what has
    /// ended.
    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let Some(last) = self.beyond(CLAIM, false).await? else { return Ok(0) };
        let now = self.connection.time().await?.map_or(now, |time| time.min(now));
        let before = doc! { "$gt": self.id(CLAIM), "$lt": self.id(last) };
        let past = doc! { "_id": before, "until": { "$lte": now } };
        let entries = self.entries().await?;
        let found = entries.find(past).limit(BATCH).projection(doc! { "_id": 1 }).await.map_err(failed)?;
        let found: Vec<Document> = found.try_collect().await.map_err(failed)?;
        let ids: Vec<&str> = found.iter().filter_map(|document| document.get_str("_id").ok()).collect();
        let gone = entries.delete_many(doc! { "_id": { "$in": ids } }).await.map_err(failed)?;
        Ok(gone.deleted_count)
    }

    async fn stop(&self) {
        self.connection.close().await;
    }
}

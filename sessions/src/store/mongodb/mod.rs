//! Sessions in MongoDB: a document each, which a TTL index removes when its time is over.
//!
//! A write names the version it goes over, so it is one step without a transaction; that works on a single
//! server too. Tried on wire-compatible substitutes; a real mongod has not been.

mod connection;
mod faults;
mod leases;
mod ledger;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64_simd::URL_SAFE_NO_PAD;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};
use rocket::futures::TryStreamExt as _;

use self::connection::Connection;
use self::faults::{failed, is_conflict, is_taken};
pub(crate) use self::ledger::open_log;
use super::Store;
use super::server::ServerStore;
use super::server::backend::{Backend, Leases, Row, Scan, Scanned, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

const ROWS: &str = "sealed_session_rows";

/// The longest that a document is kept; what lives longer is renewed by then.
const MAX_LIFETIME: UnixSeconds = 3650 * 24 * 60 * 60;

/// The collection of the leases.
const LEASES: &str = "sealed_session_leases";

/// The server removes by its own clock what was dated by the clock of a node, which may be behind. Whether a session
/// has expired is not decided by that.
const CLOCK_MARGIN: UnixSeconds = 60 * 60;

/// A row that other writes keep changing is removed at most so often: it must not be told from one that is not there.
const MAX_TRIES: usize = 8;

/// How many rows a page of all has at most.
const PAGE: i64 = 500;

/// How many documents are trimmed or forgotten at once.
const BATCH: i64 = 1000;

pub(super) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Mongo { connection: Connection::new(setting)? }, realm)))
}

/// Keeps rows in the collection `sealed_session_rows`, which realms share: the hashes of subjects differ.
struct Mongo {
    connection: Connection,
}

impl Mongo {
    async fn rows(&self) -> Result<Collection<Document>, StoreError> {
        self.connection.collection(ROWS).await
    }

    /// Changes the row that the filter fits; `false` if there is none.
    async fn change(&self, filter: Document, change: Document) -> Result<bool, StoreError> {
        match self.rows().await?.update_one(filter, change).await {
            Ok(updated) => Ok(updated.matched_count == 1),
            Err(error) if is_conflict(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

/// What a write sets of a row, whatever was there.
fn contents(row: &Row) -> Document {
    doc! {
        "version": i64::from(row.version),
        "subject": row.subject.as_ref().map(|subject| text(subject.as_bytes())),
        "body": Binary { subtype: BinarySubtype::Generic, bytes: row.body.clone() },
    }
}

fn times(seen: UnixSeconds, expires: UnixSeconds) -> Document {
    doc! { "seen": seen, "expires": expires, "forget_at": forget_at(seen, expires) }
}

/// When the server may remove the document, by its own clock.
fn forget_at(seen: UnixSeconds, expires: UnixSeconds) -> DateTime {
    let left = expires.saturating_sub(seen).clamp(0, MAX_LIFETIME) + CLOCK_MARGIN;
    let left = u64::try_from(left).unwrap_or_default();
    DateTime::from_system_time(SystemTime::now() + Duration::from_secs(left))
}

/// What documents are found by is text: not every server with MongoDB's protocol finds binary data.
fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Reads a document.
fn row(document: &Document) -> Result<Row, StoreError> {
    let damaged = || StoreError::Failed("a session in MongoDB is not as it was written".into());
    let number = |name| document.get(name).and_then(integer).ok_or_else(damaged);
    let subject = document.get_str("subject").ok().map(|text| hash(text).ok_or_else(damaged)).transpose()?;
    Ok(Row {
        version: u32::try_from(number("version")?).map_err(|_| damaged())?,
        seen: number("seen")?,
        expires: number("expires")?,
        subject,
        body: document.get_binary_generic("body").map_err(|_| damaged())?.clone(),
    })
}

/// Reads what [`text`] has written.
fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Reads documents, with the hashes of their ids.
fn rows(documents: &[Document]) -> Result<Vec<(IdHash, Row)>, StoreError> {
    let id = |document: &Document| document.get_str("_id").ok().and_then(IdHash::from_text);
    let found = documents.iter().filter_map(|document| Some((id(document)?, document)));
    found.map(|(id, document)| Ok((id, row(document)?))).collect()
}

fn hash(text: &str) -> Option<SubjectHash> {
    bytes(text)?.try_into().ok().map(SubjectHash::from_bytes)
}

/// Servers may answer a small number as the shorter type.
fn integer(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

#[rocket::async_trait]
impl Backend for Mongo {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        let found = self.rows().await?.find_one(doc! { "_id": id.to_text() }).await.map_err(failed)?;
        found.as_ref().map(row).transpose()
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        let mut document = doc! { "_id": id.to_text() };
        document.extend(contents(row));
        document.extend(times(row.seen, row.expires));
        match self.rows().await?.insert_one(document).await {
            Ok(_) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let filter = doc! {
            "_id": id.to_text(), "version": i64::from(expected), "expires": { "$gt": row.seen },
        };
        let (mut set, times) = (contents(row), times(row.seen, row.expires));
        let change = if row.version > 0 {
            doc! { "$set": set, "$max": times }
        } else {
            set.extend(times);
            doc! { "$set": set }
        };
        self.change(filter, change).await
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let filter = doc! {
            "_id": id.to_text(), "version": { "$gt": 0_i64 }, "expires": { "$gt": seen },
        };
        self.change(filter, doc! { "$max": times(seen, expires) }).await
    }

    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        let (first, last) = versions.into_inner();
        let versions = doc! { "$gte": i64::from(first), "$lte": i64::from(last) };
        let filter = doc! { "_id": id.to_text(), "version": versions };
        let rows = self.rows().await?;
        let mut deleted = rows.delete_one(filter.clone()).await;
        for _ in 1..MAX_TRIES {
            if !deleted.as_ref().is_err_and(is_conflict) {
                break;
            }
            deleted = rows.delete_one(filter.clone()).await;
        }
        Ok(deleted.map_err(failed)?.deleted_count == 1)
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let filter = doc! { "subject": text(subject.as_bytes()) };
        let found = self.rows().await?.find(filter).await.map_err(failed)?;
        rows(&found.try_collect::<Vec<Document>>().await.map_err(failed)?)
    }

    async fn trim(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        let (rows, subject) = (self.rows().await?, text(subject.as_bytes()));
        let mut removed = 0;
        loop {
            let beyond =
                rows.find(doc! { "subject": &subject }).sort(doc! { "seen": -1 }).skip(max).limit(BATCH);
            let beyond = beyond.projection(doc! { "_id": 1 }).await.map_err(failed)?;
            let beyond: Vec<Document> = beyond.try_collect().await.map_err(failed)?;
            let ids: Vec<&str> = beyond.iter().filter_map(|document| document.get_str("_id").ok()).collect();
            // One that has signed in meanwhile has another subject.
            let filter = doc! { "_id": { "$in": ids }, "subject": &subject };
            let batch = rows.delete_many(filter).await.map_err(failed)?.deleted_count;
            if batch == 0 {
                return Ok(removed);
            }
            removed += batch;
        }
    }

    async fn start(&self) -> Result<(), StoreError> {
        let forgets = IndexOptions::builder().expire_after(Duration::ZERO).build();
        let forgetting = IndexModel::builder().keys(doc! { "forget_at": 1 }).options(forgets).build();
        let listing = IndexModel::builder().keys(doc! { "subject": 1 }).build();
        for (collection, index) in [(ROWS, forgetting.clone()), (ROWS, listing), (LEASES, forgetting)] {
            let collection = self.connection.collection(collection).await?;
            collection.create_index(index).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn stop(&self) {
        self.connection.close().await;
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Scan for Mongo {
    /// By the order of the hashes' texts. A page begins after one.
    async fn page(&self, from: &[u8]) -> Result<Scanned, StoreError> {
        let filter = doc! { "_id": { "$gt": String::from_utf8_lossy(from).as_ref() } };
        let found = self.rows().await?.find(filter).sort(doc! { "_id": 1 }).limit(PAGE).await;
        let documents: Vec<Document> = found.map_err(failed)?.try_collect().await.map_err(failed)?;
        let last = documents.last().filter(|_| documents.len() as i64 == PAGE);
        let next = last.and_then(|last| Some(last.get_str("_id").ok()?.as_bytes().to_vec()));
        Ok(Scanned { rows: rows(&documents)?, next })
    }
}

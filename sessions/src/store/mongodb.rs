//! Sessions in MongoDB: a document each, which a TTL index removes when its time is over.
//!
//! A write names the version it goes over, so it is one step without a transaction; that works on a single
//! server too. Tried on wire-compatible substitutes; a real mongod has not been.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64_simd::URL_SAFE_NO_PAD;
use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{ClientOptions, ConnectionString, IndexOptions};
use mongodb::{Client, Collection, Database, IndexModel};
use rocket::futures::TryStreamExt as _;
use rocket::tokio::sync::OnceCell;
use sha2::{Digest, Sha256};

use super::server::detached::{Ended, Waiter, undropped_for};
use super::server::lease::{LEASE, Lease};
use super::server::lock::LocalLocks;
use super::server::renewals::{end_through_renewals, end_until_none_is_left};
use super::server::row::{Row, saved};
use super::{Capabilities, Listed, Loaded, Lock, RENEWAL_GRACE, Store, Written};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};

const DEFAULT_DATABASE: &str = "sessions";

/// How long the driver looks for a server.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest that a document is kept; what lives longer is renewed by then.
const LONGEST: UnixSeconds = 3650 * 24 * 60 * 60;

/// The version of the marker that a renewed id leaves behind: no session's.
const MARKER: i64 = -1;

const TAKEN: i32 = 11000;

#[derive(Clone)]
struct MongoStore {
    address: String,
    database: Arc<OnceCell<Database>>,
    realm: String,
    locks: LocalLocks,
}

pub(super) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    // The error may show the address, and the address a password.
    ConnectionString::parse(setting).map_err(|_| "its address is not one of MongoDB".to_owned())?;
    Ok(Arc::new(MongoStore {
        address: setting.to_owned(),
        database: Arc::default(),
        realm: realm.to_owned(),
        locks: LocalLocks::default(),
    }))
}

impl MongoStore {
    async fn database(&self) -> Result<&Database, StoreError> {
        let connect = async || {
            let mut options = ClientOptions::parse(&self.address).await?;
            options.server_selection_timeout.get_or_insert(PATIENCE);
            options.connect_timeout.get_or_insert(PATIENCE);
            let name = options.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
            Ok::<_, Error>(Client::with_options(options)?.database(&name))
        };
        self.database.get_or_try_init(connect).await.map_err(failed)
    }

    async fn sessions(&self) -> Result<Collection<Document>, StoreError> {
        Ok(self.database().await?.collection("sealed_sessions"))
    }

    fn subject_hash(&self, subject: &str) -> String {
        let parts = [self.realm.as_bytes(), b"\0", subject.as_bytes()];
        let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
        URL_SAFE_NO_PAD.encode_to_string(hash)
    }

    /// All fields of a record but `_id`.
    fn fields(&self, record: &Record, expires: UnixSeconds) -> Document {
        doc! {
            "subject_hash": record.subject.as_deref().map(|subject| self.subject_hash(subject)),
            "created": record.created,
            "seen": record.seen,
            "version": i64::from(record.version),
            "remembered": i64::from(record.remembered),
            "signed_in": record.signed_in,
            "subject": record.subject.as_deref(),
            "data": record.data.as_str(),
            "expires": expires,
            "forget_at": forget_at(record.seen, expires),
        }
    }

    async fn insert(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Result<bool, StoreError> {
        let mut document = doc! { "_id": id.to_text() };
        document.extend(self.fields(record, expires));
        match self.sessions().await?.insert_one(document).await {
            Ok(_) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Changes a live session, if there is one that the filter fits.
    async fn change(
        &self,
        id: &IdHash,
        filter: Document,
        change: Document,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let mut all = doc! { "_id": id.to_text(), "expires": { "$gt": now } };
        all.extend(filter);
        let updated = self.sessions().await?.update_one(all, change).await.map_err(failed)?;
        Ok(updated.matched_count == 1)
    }

    /// Why a write over `id` met no document: another version, or none that lives.
    async fn obstacle(&self, id: &IdHash, now: UnixSeconds) -> Result<Written, StoreError> {
        let live = doc! { "_id": id.to_text(), "expires": { "$gt": now }, "version": { "$gte": 0_i64 } };
        Ok(match self.sessions().await?.find_one(live).await.map_err(failed)? {
            Some(_) => Written::Conflict,
            None => Written::Gone,
        })
    }

    /// The new session is written first; nobody knows its id yet. It counts from the moment in which the
    /// old one becomes a marker, which is one step; where that fails, the new one goes again.
    async fn renew(
        &self,
        old: &IdHash,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
        waiter: Waiter,
    ) -> Result<Written, StoreError> {
        let new = IdHash::of(&record.id);
        if !self.insert(&new, record, expires).await? {
            return Ok(Written::Conflict);
        }
        let grace = record.seen.saturating_add(RENEWAL_GRACE);
        let marker = doc! {
            "version": MARKER, "data": "", "subject": Bson::Null, "subject_hash": Bson::Null,
            "expires": grace, "forget_at": forget_at(record.seen, grace), "next": new.to_text(),
        };
        if !waiter.is_there() {
            // Nobody would learn the new id, and the old one would be dead.
            self.delete(&new).await?;
            return Err(Ended.into());
        }
        let marker = doc! { "$set": marker };
        if self.change(old, doc! { "version": i64::from(expected) }, marker, record.seen).await? {
            return Ok(saved(record));
        }
        self.delete(&new).await?;
        self.obstacle(old, record.seen).await
    }

    fn live_of(&self, subject: &str, now: UnixSeconds) -> Document {
        doc! { "subject_hash": self.subject_hash(subject), "expires": { "$gt": now } }
    }
}

/// When the server may remove the document, by its own clock.
fn forget_at(now: UnixSeconds, expires: UnixSeconds) -> DateTime {
    let left = u64::try_from(expires.saturating_sub(now).clamp(0, LONGEST)).unwrap_or_default();
    DateTime::from_system_time(SystemTime::now() + Duration::from_secs(left))
}

/// What the driver says may name the server, and never shows a password or a document.
fn failed(error: Error) -> StoreError {
    StoreError::Failed(error.to_string().lines().collect::<Vec<_>>().join(" "))
}

fn is_taken(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == TAKEN,
        ErrorKind::Command(error) => error.code == TAKEN,
        _ => false,
    }
}

/// The row of a document, or none for the marker that a renewed id leaves behind.
fn read(document: &Document) -> Result<Option<Row>, StoreError> {
    let damaged = || StoreError::Failed("a session in MongoDB is not as it was written".into());
    let number = |name: &str| document.get(name).and_then(integer).ok_or_else(damaged);
    let text = |name: &str| document.get_str(name).ok().map(str::to_owned);
    let version = number("version")?;
    if version == MARKER {
        return Ok(None);
    }
    Ok(Some(Row {
        created: number("created")?,
        seen: number("seen")?,
        version: u32::try_from(version).map_err(|_| damaged())?,
        remembered: number("remembered")? != 0,
        signed_in: document.get("signed_in").and_then(integer),
        subject: text("subject"),
        data: text("data").ok_or_else(damaged)?,
    }))
}

/// Servers may answer a small number as the shorter type.
fn integer(value: &Bson) -> Option<i64> {
    value.as_i64().or_else(|| value.as_i32().map(i64::from))
}

#[rocket::async_trait]
impl Store for MongoStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side: true, lists: true, locks: true }
    }

    async fn start(&self) -> Result<(), StoreError> {
        let forgets = IndexOptions::builder().expire_after(Duration::ZERO).build();
        let forgetting = IndexModel::builder().keys(doc! { "forget_at": 1 }).options(forgets).build();
        let listing = IndexModel::builder().keys(doc! { "subject_hash": 1 }).build();
        for (collection, index) in [
            ("sealed_sessions", forgetting.clone()),
            ("sealed_sessions", listing),
            ("session_locks", forgetting),
        ] {
            let collection: Collection<Document> = self.database().await?.collection(collection);
            collection.create_index(index).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn stop(&self) {
        if let Some(database) = self.database.get() {
            database.client().clone().shutdown().await;
        }
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        // The index may be a minute late, so what has expired is checked here.
        let live = doc! { "_id": IdHash::of(&id).to_text(), "expires": { "$gt": now } };
        let Some(document) = self.sessions().await?.find_one(live).await.map_err(failed)? else {
            return Ok(Loaded::Missing);
        };
        Ok(match read(&document)? {
            Some(row) => Loaded::Found(row.into_record(id)),
            None => Loaded::Superseded,
        })
    }

    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        Ok(match self.insert(&IdHash::of(&record.id), record, expires).await? {
            true => saved(record),
            false => Written::Conflict,
        })
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        let filter = doc! { "version": i64::from(expected) };
        let whole = doc! { "$set": self.fields(record, expires) };
        match self.change(&id, filter, whole, record.seen).await? {
            true => Ok(saved(record)),
            false => self.obstacle(&id, record.seen).await,
        }
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let (store, old, record) = (self.clone(), IdHash::of(old), record.clone());
        undropped_for(|waiter| async move { store.renew(&old, &record, expected, expires, waiter).await })
            .await
    }

    async fn touch(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        let later =
            doc! { "seen": record.seen, "expires": expires, "forget_at": forget_at(record.seen, expires) };
        let any = doc! { "version": { "$gte": 0_i64 } };
        Ok(match self.change(&IdHash::of(&record.id), any, doc! { "$max": later }, record.seen).await? {
            true => saved(record),
            false => Written::Gone,
        })
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        let sessions = &self.sessions().await?;
        end_through_renewals(id, |id| async move {
            let live = doc! { "_id": id.to_text(), "version": { "$gte": 0_i64 } };
            if sessions.delete_one(live).await.map_err(failed)?.deleted_count == 1 {
                return Ok(None);
            }
            let marker = sessions.find_one(doc! { "_id": id.to_text() }).await.map_err(failed)?;
            let next = marker.as_ref().and_then(|marker| marker.get_str("next").ok());
            Ok(next.and_then(IdHash::from_text))
        })
        .await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let found = self.sessions().await?.find(self.live_of(subject, now)).await.map_err(failed)?;
        let documents: Vec<Document> = found.try_collect().await.map_err(failed)?;
        let mut listed = Vec::with_capacity(documents.len());
        for document in &documents {
            let id = document.get_str("_id").ok().and_then(IdHash::from_text);
            if let (Some(id), Some(row)) = (id, read(document)?) {
                listed.push(row.into_listed(id));
            }
        }
        Ok(listed)
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        let mut ended = self.live_of(subject, now);
        if let Some(except) = except {
            ended.insert("_id", doc! { "$ne": except.to_text() });
        }
        let sessions = self.sessions().await?;
        end_until_none_is_left(|| async {
            Ok(sessions.delete_many(ended.clone()).await.map_err(failed)?.deleted_count)
        })
        .await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        let Some(id) = IdHash::of_ticket(ticket) else { return Ok(Lock::new(())) };
        let turn = self.locks.lock(id).await;
        let holder = Id::random().map_err(|error| StoreError::Failed(error.to_string()))?.to_text();
        let locks: Collection<Document> = self.database().await?.collection("session_locks");
        let (collection, id) = (locks.clone(), id.to_text());
        let held = doc! { "_id": &id, "holder": &holder };
        let lease = Lease::new(Some(turn), || async move {
            collection.delete_one(held).await.map_err(failed)?;
            Ok(())
        });
        let taken = || take(locks.clone(), id.clone(), holder.clone());
        Ok(Lock::new(lease.once_granted(taken).await?))
    }
}

/// Makes the lock, or takes over one whose time is over.
async fn take(locks: Collection<Document>, id: String, holder: String) -> Result<bool, StoreError> {
    let now = SystemTime::now();
    let expires = DateTime::from_system_time(now + LEASE);
    match locks.insert_one(doc! { "_id": &id, "holder": &holder, "forget_at": expires }).await {
        Ok(_) => return Ok(true),
        Err(error) if is_taken(&error) => {}
        Err(error) => return Err(failed(error)),
    }
    let left = doc! { "_id": id, "forget_at": { "$lte": DateTime::from_system_time(now) } };
    let over = doc! { "$set": { "holder": holder, "forget_at": expires } };
    Ok(locks.update_one(left, over).await.map_err(failed)?.matched_count == 1)
}

//! Sessions in Redis: one server, a Cluster, or one behind Sentinels.
//!
//! Each session is a hash that Redis itself forgets when its time is over; a script checks version and
//! expiry and writes in one step. No step spans two keys, since those of a cluster may lie on two nodes.

mod scripts;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface, HashesInterface, KeysInterface, SortedSetsInterface};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, Expiration, SetOptions, Value};
use rocket::futures::future::try_join_all;
use rocket::tokio::select;
use sha2::{Digest, Sha256};

use self::scripts::Scripts;
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

pub(super) const SCHEMES: &[&str] =
    &["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// How long a server may leave a question open before its connection counts as lost.
const UNRESPONSIVE: Duration = Duration::from_secs(2);

const DAY: UnixSeconds = 24 * 60 * 60;

/// The longest that Redis is told to keep a key; what lives longer is renewed by then.
const LONGEST: UnixSeconds = 3650 * DAY;

/// The fields of a session's hash that [`RedisStore::row`] reads, in its order.
const FIELDS: [&str; 8] =
    ["expires", "created", "seen", "version", "remembered", "signed_in", "subject", "data"];

#[derive(Clone)]
struct RedisStore {
    client: Client,
    connecting: Arc<OnceLock<()>>,
    scripts: Arc<Scripts>,
    realm: String,
    locks: LocalLocks,
}

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    // The error may show the address, and the address a password.
    let mut config = Config::from_url(setting).map_err(|_| "its address is not one of Redis".to_owned())?;
    config.fail_fast = false;
    let client = Builder::from_config(config)
        .with_performance_config(|performance| performance.default_command_timeout = UNRESPONSIVE * 2)
        .with_connection_config(|connection| {
            connection.connection_timeout = UNRESPONSIVE;
            connection.internal_command_timeout = UNRESPONSIVE;
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(UNRESPONSIVE), interval: UNRESPONSIVE / 4 };
        })
        .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2))
        .build()
        .map_err(|error| error.details().to_owned())?;
    Ok(Arc::new(RedisStore {
        client,
        connecting: Arc::default(),
        scripts: Arc::new(Scripts::new()),
        realm: realm.to_owned(),
        locks: LocalLocks::default(),
    }))
}

impl RedisStore {
    fn key(&self, id: &IdHash) -> String {
        format!("sessions:{}:{}", self.realm, id.to_text())
    }

    fn subject_key(&self, subject: &str) -> String {
        let hash = URL_SAFE_NO_PAD.encode_to_string(Sha256::digest(subject));
        format!("sessions:{}:subject:{hash}", self.realm)
    }

    /// Writes over a live session.
    async fn write(&self, id: &IdHash, over: Over, fields: Vec<Value>) -> Result<Answer, StoreError> {
        let keep = milliseconds(over.now, over.expires);
        let mut arguments: Vec<Value> = vec![over.now.into(), over.expected.to_string().into(), keep.into()];
        arguments.extend(fields);
        let answer: i64 =
            self.scripts.write.run(&self.client, &self.key(id), arguments).await.map_err(failed)?;
        Ok(Answer::from(answer))
    }

    async fn create(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Result<Answer, StoreError> {
        let mut arguments: Vec<Value> = vec![milliseconds(record.seen, expires).into()];
        arguments.extend(fields(record, expires));
        match self.scripts.create.run(&self.client, &self.key(id), arguments).await.map_err(failed)? {
            0 => Ok(Answer::Done),
            _ => Ok(Answer::Conflict),
        }
    }

    /// Enters the session under its subject. Before it is written: an entry without a session is nothing,
    /// a session without its entry would be missed by a list.
    async fn enter(&self, id: &IdHash, record: &Record, expires: UnixSeconds) -> Result<(), StoreError> {
        let Some(subject) = &record.subject else { return Ok(()) };
        let keep = milliseconds(record.seen, expires);
        // A day late, since clocks of nodes differ.
        let stale = record.seen.saturating_sub(DAY);
        let arguments: Vec<Value> = vec![id.to_text().into(), expires.into(), keep.into(), stale.into()];
        self.scripts.enter.run(&self.client, &self.subject_key(subject), arguments).await.map_err(failed)
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
        self.enter(&new, record, expires).await?;
        if let Answer::Conflict = self.create(&new, record, expires).await? {
            return Ok(Written::Conflict);
        }
        let grace = record.seen.saturating_add(RENEWAL_GRACE);
        if !waiter.is_there() {
            // Nobody would learn the new id, and the old one would be dead.
            self.delete(&new).await?;
            return Err(Ended.into());
        }
        let over = Over { now: record.seen, expires: grace, expected };
        let marker = vec!["expires".into(), grace.into(), "next".into(), new.to_text().into()];
        let marked = self.write(old, over, marker).await?;
        if !matches!(marked, Answer::Done) {
            self.delete(&new).await?;
        }
        Ok(marked.of(record))
    }

    /// The hash of a session: none when there is none, no row when it is the marker of a renewed id.
    async fn row(&self, id: &IdHash, now: UnixSeconds) -> Result<Option<Option<Row>>, StoreError> {
        let found: Vec<Option<String>> =
            self.client.hmget(self.key(id), FIELDS.to_vec()).await.map_err(failed)?;
        let damaged = || StoreError::Failed("a session in Redis is not as it was written".into());
        let [expires, created, seen, version, remembered, signed_in, subject, data] =
            <[_; 8]>::try_from(found).map_err(|_| damaged())?;
        let number =
            |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok()).ok_or_else(damaged);
        let Some(expires) = expires else { return Ok(None) };
        if number(Some(expires))? <= now {
            return Ok(None);
        }
        let Some(data) = data else { return Ok(Some(None)) };
        Ok(Some(Some(Row {
            created: number(created)?,
            seen: number(seen)?,
            version: u32::try_from(number(version)?).map_err(|_| damaged())?,
            remembered: remembered.as_deref() == Some("1"),
            signed_in: signed_in.map(|at| number(Some(at))).transpose()?,
            subject,
            data,
        })))
    }

    /// The live sessions of a subject.
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let key = self.subject_key(subject);
        let entries: Vec<String> =
            self.client.zrange(&key, 0, -1, None, false, None, false).await.map_err(failed)?;
        let ids: Vec<IdHash> = entries.iter().filter_map(|entry| IdHash::from_text(entry)).collect();
        let rows = try_join_all(ids.iter().map(|id| self.row(id, now))).await?;
        let live = ids.into_iter().zip(rows).filter_map(|(id, row)| Some((id, row??)));
        Ok(live.filter(|(_, row)| row.subject.as_deref() == Some(subject)).collect())
    }
}

/// What a write goes over.
struct Over {
    now: UnixSeconds,
    expires: UnixSeconds,
    expected: u32,
}

#[derive(Clone, Copy)]
enum Answer {
    Done,
    Conflict,
    Gone,
}

impl From<i64> for Answer {
    fn from(answer: i64) -> Answer {
        match answer {
            0 => Answer::Done,
            1 => Answer::Conflict,
            _ => Answer::Gone,
        }
    }
}

impl Answer {
    fn of(self, record: &Record) -> Written {
        match self {
            Answer::Done => saved(record),
            Answer::Conflict => Written::Conflict,
            Answer::Gone => Written::Gone,
        }
    }
}

fn fields(record: &Record, expires: UnixSeconds) -> Vec<Value> {
    let mut fields: Vec<Value> = vec![
        "expires".into(),
        expires.into(),
        "created".into(),
        record.created.into(),
        "seen".into(),
        record.seen.into(),
        "version".into(),
        i64::from(record.version).into(),
        "remembered".into(),
        i64::from(record.remembered).into(),
        "data".into(),
        record.data.as_str().into(),
    ];
    if let Some(signed_in) = record.signed_in {
        fields.extend(["signed_in".into(), signed_in.into()]);
    }
    if let Some(subject) = &record.subject {
        fields.extend(["subject".into(), subject.as_str().into()]);
    }
    fields
}

fn milliseconds(now: UnixSeconds, expires: UnixSeconds) -> i64 {
    expires.saturating_sub(now).clamp(0, LONGEST) * 1000
}

/// What the client says may name the server, and never shows a password or a value.
fn failed(error: Error) -> StoreError {
    StoreError::Failed(error.details().to_owned())
}

#[rocket::async_trait]
impl Store for RedisStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side: true, lists: true, locks: true }
    }

    /// One task connects, again and again until it can; whoever calls this waits for its next attempt.
    async fn start(&self) -> Result<(), StoreError> {
        let mut errors = self.client.error_rx();
        self.connecting.get_or_init(|| drop(self.client.connect()));
        select! {
            connected = self.client.wait_for_connect() => connected.map_err(failed)?,
            Ok((error, _)) = errors.recv() => return Err(failed(error)),
        }
        self.client.ping(None).await.map_err(failed)
    }

    async fn stop(&self) {
        // It closes the connections also when the server is gone.
        let _ = self.client.quit().await;
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        let Some(id) = Id::from_text(ticket) else { return Ok(Loaded::Unreadable) };
        Ok(match self.row(&IdHash::of(&id), now).await? {
            Some(Some(row)) => Loaded::Found(row.into_record(id)),
            Some(None) => Loaded::Superseded,
            None => Loaded::Missing,
        })
    }

    async fn create(&self, record: &Record, expires: UnixSeconds) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        self.enter(&id, record, expires).await?;
        Ok(self.create(&id, record, expires).await?.of(record))
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        expires: UnixSeconds,
    ) -> Result<Written, StoreError> {
        let id = IdHash::of(&record.id);
        self.enter(&id, record, expires).await?;
        let over = Over { now: record.seen, expires, expected };
        Ok(self.write(&id, over, fields(record, expires)).await?.of(record))
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
        let id = IdHash::of(&record.id);
        self.enter(&id, record, expires).await?;
        let keep = milliseconds(record.seen, expires);
        let arguments = vec![record.seen.into(), expires.into(), keep.into()];
        let answer: i64 =
            self.scripts.touch.run(&self.client, &self.key(&id), arguments).await.map_err(failed)?;
        Ok(Answer::from(answer).of(record))
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        end_through_renewals(id, |id| async move {
            let (delete, key) = (&self.scripts.delete, self.key(&id));
            let next: String = delete.run(&self.client, &key, Vec::new()).await.map_err(failed)?;
            Ok(IdHash::from_text(&next))
        })
        .await
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let live = self.of_subject(subject, now).await?;
        Ok(live.into_iter().map(|(id, row)| row.into_listed(id)).collect())
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        end_until_none_is_left(|| async {
            let live = self.of_subject(subject, now).await?;
            let ended: Vec<IdHash> =
                live.into_iter().map(|(id, _)| id).filter(|id| except != Some(id)).collect();
            try_join_all(ended.iter().map(|id| self.delete(id))).await?;
            if !ended.is_empty() {
                let entries: Vec<String> = ended.iter().map(|id| id.to_text()).collect();
                let _: i64 = self.client.zrem(self.subject_key(subject), entries).await.map_err(failed)?;
            }
            Ok(ended.len() as u64)
        })
        .await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        let Some(id) = IdHash::of_ticket(ticket) else { return Ok(Lock::new(())) };
        let turn = self.locks.lock(id).await;
        let holder = Id::random().map_err(|error| StoreError::Failed(error.to_string()))?.to_text();
        let key = format!("sessions:{}:lock:{}", self.realm, id.to_text());
        let (client, scripts) = (self.client.clone(), Arc::clone(&self.scripts));
        let (locked, theirs) = (key.clone(), holder.clone());
        let lease = Lease::new(Some(turn), || async move {
            scripts.release.run::<i64>(&client, &locked, vec![theirs.into()]).await.map_err(failed)?;
            Ok(())
        });
        let taken = || take(self.client.clone(), key.clone(), holder.clone());
        Ok(Lock::new(lease.once_granted(taken).await?))
    }
}

async fn take(client: Client, key: String, holder: String) -> Result<bool, StoreError> {
    let expires = Some(Expiration::PX(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)));
    let taken: Option<String> =
        client.set(key, holder, expires, Some(SetOptions::NX), false).await.map_err(failed)?;
    Ok(taken.is_some())
}

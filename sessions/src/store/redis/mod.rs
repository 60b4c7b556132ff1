//! Sessions in Redis: one server, a Cluster, or one behind Sentinels.
//!
//! Each row is a hash that Redis itself forgets when its time is over; a script checks version and expiry and
//! writes in one step. No step spans two keys, since those of a cluster may lie on two nodes.

mod scripts;

use std::str::{self, FromStr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use fred::bytes::Bytes;
use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface, HashesInterface, SortedSetsInterface};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, Value};
use rocket::futures::future::try_join_all;
use rocket::tokio::select;

use self::scripts::{Script, Scripts};
use super::Store;
use super::server::ServerStore;
use super::server::backend::{Backend, LEASE_SECONDS, Leases, Row, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

pub(super) const SCHEMES: &[&str] =
    &["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// How long a server may leave a question open before its connection counts as lost.
const UNRESPONSIVE: Duration = Duration::from_secs(2);

/// The fields of a row's hash, in the order in which [`row`] reads them.
const FIELDS: [&str; 5] = ["version", "seen", "expires", "subject", "body"];

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Redis::new(setting, realm)?, realm)))
}

/// Keeps each row under `sessions:<realm>:row:<id>`, and the ids of a subject in a sorted set by expiry under
/// `sessions:<realm>:subject:<hash>`.
struct Redis {
    client: Client,
    connecting: OnceLock<()>,
    scripts: Scripts,
    realm: String,
}

impl Redis {
    /// Connects nowhere yet.
    fn new(setting: &str, realm: &str) -> Result<Redis, String> {
        // The error may show the address, and the address a password.
        let mut config =
            Config::from_url(setting).map_err(|_| "its address is not one of Redis".to_owned())?;
        config.fail_fast = false;
        let client = Builder::from_config(config)
            .with_performance_config(|performance| performance.default_command_timeout = UNRESPONSIVE * 2)
            .with_connection_config(|connection| {
                connection.connection_timeout = UNRESPONSIVE;
                connection.internal_command_timeout = UNRESPONSIVE;
                // What was sent may have been executed, so it is not sent again.
                connection.max_command_attempts = 1;
                connection.unresponsive =
                    UnresponsiveConfig { max_timeout: Some(UNRESPONSIVE), interval: UNRESPONSIVE / 4 };
            })
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1000, 2))
            .build()
            .map_err(|error| error.details().to_owned())?;
        let (connecting, scripts) = (OnceLock::new(), Scripts::new());
        Ok(Redis { client, connecting, scripts, realm: realm.to_owned() })
    }

    fn row_key(&self, id: &IdHash) -> String {
        self.key("row", id.as_bytes())
    }

    fn subject_key(&self, subject: &[u8]) -> String {
        self.key("subject", subject)
    }

    fn lease_key(&self, name: &[u8]) -> String {
        self.key("lease", name)
    }

    fn key(&self, kind: &str, name: &[u8]) -> String {
        format!("sessions:{}:{kind}:{}", self.realm, URL_SAFE_NO_PAD.encode_to_string(name))
    }

    /// Runs a script that answers 1 or 0.
    async fn does(&self, script: &Script, key: &str, arguments: Vec<Value>) -> Result<bool, StoreError> {
        let answer: i64 = script.run(&self.client, key, arguments).await.map_err(failed)?;
        Ok(answer == 1)
    }

    /// Enters a row under its subject. Before the row is written: an entry without a row is ignored, a row
    /// without its entry would be missed by a list.
    async fn enter(
        &self,
        subject: Option<&[u8]>,
        id: &IdHash,
        seen: UnixSeconds,
        expires: UnixSeconds,
    ) -> Result<(), StoreError> {
        let Some(subject) = subject else { return Ok(()) };
        let entry = vec![id.to_text().into(), seen.into(), expires.into()];
        self.does(&self.scripts.enter, &self.subject_key(subject), entry).await.map(drop)
    }
}

/// A row as a script takes it; the subject comes last.
fn columns(row: &Row) -> Vec<Value> {
    vec![row.version.into(), row.seen.into(), row.expires.into(), row.body.as_slice().into()]
}

fn subject(row: &Row) -> Option<&[u8]> {
    row.subject.as_ref().map(|subject| &subject.as_bytes()[..])
}

/// Reads the [`FIELDS`] of a row.
fn row(found: Vec<Option<Bytes>>) -> Result<Option<Row>, StoreError> {
    let [version, seen, expires, subject, body] = <[_; 5]>::try_from(found).map_err(|_| damaged())?;
    let Some(version) = version else { return Ok(None) };
    let subject = subject.map(|hash| hash[..].try_into().map_err(|_| damaged())).transpose()?;
    Ok(Some(Row {
        version: number(&version)?,
        seen: number(&seen.ok_or_else(damaged)?)?,
        expires: number(&expires.ok_or_else(damaged)?)?,
        subject: subject.map(SubjectHash::from_bytes),
        body: body.ok_or_else(damaged)?.into(),
    }))
}

fn number<N: FromStr>(text: &[u8]) -> Result<N, StoreError> {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(damaged)
}

fn damaged() -> StoreError {
    StoreError::Failed("a session in Redis is not as it was written".into())
}

/// The client's message may name the server, and never shows a password or a value.
fn failed(error: Error) -> StoreError {
    StoreError::Failed(error.details().to_owned())
}

#[rocket::async_trait]
impl Backend for Redis {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        row(self.client.hmget(self.row_key(id), FIELDS.to_vec()).await.map_err(failed)?)
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        self.enter(subject(row), id, row.seen, row.expires).await?;
        let mut arguments = columns(row);
        arguments.extend(subject(row).map(Value::from));
        self.does(&self.scripts.insert, &self.row_key(id), arguments).await
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        self.enter(subject(row), id, row.seen, row.expires).await?;
        let mut arguments = columns(row);
        arguments.extend([subject(row).unwrap_or_default().into(), expected.into()]);
        self.does(&self.scripts.replace, &self.row_key(id), arguments).await
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let key = self.row_key(id);
        let subject: Option<Bytes> = self.client.hget(&key, "subject").await.map_err(failed)?;
        self.enter(subject.as_deref(), id, seen, expires).await?;
        self.does(&self.scripts.touch, &key, vec![seen.into(), expires.into()]).await
    }

    async fn remove(&self, id: &IdHash, expected: u32) -> Result<bool, StoreError> {
        let (remove, key) = (&self.scripts.remove, self.row_key(id));
        let removed: Option<Bytes> =
            remove.run(&self.client, &key, vec![expected.into()]).await.map_err(failed)?;
        if let Some(subject) = removed.as_deref().filter(|subject| !subject.is_empty()) {
            // An entry that stays is dropped when its time is over.
            let _: Result<i64, _> = self.client.zrem(self.subject_key(subject), id.to_text()).await;
        }
        Ok(removed.is_some())
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let key = self.subject_key(subject.as_bytes());
        let entries: Vec<String> =
            self.client.zrange(key, 0, -1, None, false, None, false).await.map_err(failed)?;
        let ids: Vec<IdHash> = entries.iter().filter_map(|entry| IdHash::from_text(entry)).collect();
        let rows = try_join_all(ids.iter().map(|id| self.get(id))).await?;
        let rows = ids.into_iter().zip(rows).filter_map(|(id, row)| Some((id, row?)));
        // A row may be gone, or may have got another subject, since it was entered.
        Ok(rows.filter(|(_, row)| row.subject.as_ref() == Some(subject)).collect())
    }

    /// One task connects, again and again until it can; a caller waits for its next attempt.
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

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }
}

#[rocket::async_trait]
impl Leases for Redis {
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        let milliseconds = LEASE_SECONDS * 1000;
        let arguments = vec![holder[..].into(), milliseconds.to_string().into()];
        self.does(&self.scripts.grant, &self.lease_key(name), arguments).await
    }

    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        self.does(&self.scripts.release, &self.lease_key(name), vec![holder[..].into()]).await.map(drop)
    }
}

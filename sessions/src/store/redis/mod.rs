//! Sessions in Redis: one server, a Cluster, or one behind Sentinels.
//!
//! Each row is one string that Redis itself forgets when its time is over; reading it is one command, and so is each
//! change: a script compares the head of the row and writes it in one step. No step spans two keys, since those of a
//! cluster may lie on two nodes.

mod address;
mod connection;
mod eviction;
mod fault;
mod hints;
mod ledger;
mod link;
mod row;
mod scan;
mod scripts;
mod subjects;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64_simd::URL_SAFE_NO_PAD;
use redis::{Cmd, Value};

pub(crate) use self::address::SCHEMES;
use self::address::Servers;
pub(crate) use self::ledger::open_log;
use self::link::Link;
use self::row::{NEVER, damaged};
use self::scripts::{Answer, Scripts};
use super::Store;
use super::server::ServerStore;
use super::server::backend::{Backend, LEASE_SECONDS, Leases, Row, Scan, SubjectHash};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// A row is kept for one second at least and ten years at most: what lives longer is renewed by then.
const MAX_SECONDS: i64 = 315_360_000;

/// How often a row is entered under its subject, and then found to have got another subject or a later end.
const MAX_TRIES: usize = 4;

pub(in crate::store) fn open(setting: &str, realm: &str) -> Result<Arc<dyn Store>, String> {
    Ok(Arc::new(ServerStore::new(Redis::new(setting, realm)?, realm)))
}

/// Keeps each row under `sessions:<realm>:session:<id>`, and the ids of a subject in a sorted set by expiry under
/// `sessions:<realm>:subject:<hash>`.
struct Redis {
    link: Link,
    scripts: Scripts,
    realm: String,
    /// Whether a server drops keys when its memory is full.
    evicts: AtomicBool,
}

impl Redis {
    /// Connects nowhere yet.
    fn new(setting: &str, realm: &str) -> Result<Redis, String> {
        let servers = Servers::parse(setting).ok_or("its address is not a Redis address")?;
        let (link, scripts, realm) = (Link::new(servers), Scripts::new(), realm.to_owned());
        Ok(Redis { link, scripts, realm, evicts: AtomicBool::new(false) })
    }

    /// Removes a row, but not its entry.
    async fn remove_row(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<Answer, StoreError> {
        let [first, last] = [versions.start(), versions.end()].map(|version| row::version(*version));
        self.scripts.remove.run(&self.link, &self.row_key(id), &[&first, &last]).await
    }

    fn row_key(&self, id: &IdHash) -> String {
        self.key(":session:", id.as_bytes())
    }

    fn subject_key(&self, subject: &SubjectHash) -> String {
        self.key(":subject:", subject.as_bytes())
    }

    fn lease_key(&self, name: &[u8]) -> String {
        self.key(":lease:", name)
    }

    fn key(&self, kind: &str, name: &[u8]) -> String {
        let size = "sessions:".len() + self.realm.len() + kind.len() + IdHash::TEXT;
        let mut key = String::with_capacity(size);
        key.extend(["sessions:", &self.realm, kind]);
        URL_SAFE_NO_PAD.encode_append(name, &mut key);
        key
    }
}

/// For how many milliseconds to keep what expires then.
fn milliseconds(seen: UnixSeconds, expires: UnixSeconds) -> String {
    (expires.saturating_sub(seen).clamp(1, MAX_SECONDS) * 1000).to_string()
}

fn command(name: &str, key: &str) -> Cmd {
    let mut command = Cmd::with_capacity(4, name.len() + key.len() + 32);
    command.arg(name).arg(key);
    command
}

#[rocket::async_trait]
impl Backend for Redis {
    async fn get(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        match self.link.ask(&command("GET", &self.row_key(id))).await? {
            Value::BulkString(value) => row::read(value).map(Some),
            Value::Nil => Ok(None),
            _ => Err(damaged()),
        }
    }

    async fn insert(&self, id: &IdHash, row: &Row) -> Result<bool, StoreError> {
        if let Some(subject) = &row.subject {
            self.enter(subject, id, row.seen, row.expires).await?;
        }
        let value = [&row::head(row, row::due(row.seen, row.expires)), &row.body[..]].concat();
        let mut set = command("SET", &self.row_key(id));
        set.arg(value).arg("NX").arg("PX").arg(milliseconds(row.seen, row.expires));
        match self.link.ask(&set).await? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(damaged()),
        }
    }

    async fn replace(&self, id: &IdHash, expected: u32, row: &Row) -> Result<bool, StoreError> {
        let (key, expected) = (self.row_key(id), row::version(expected));
        let ttl = milliseconds(row.seen, row.expires);
        let mut due = NEVER;
        for _ in 0..MAX_TRIES {
            let head = row::head(row, due);
            let arguments: [&[u8]; 4] = [&head, &row.body, &expected, ttl.as_bytes()];
            match self.scripts.replace.run(&self.link, &key, &arguments).await? {
                Answer::Refused => return Ok(false),
                Answer::Done => return Ok(true),
                Answer::Gone(subject) => {
                    self.leave(&subject, &[*id]).await;
                    return Ok(true);
                }
                Answer::Due(subject, expires) => due = self.enter(&subject, id, row.seen, expires).await?,
            }
        }
        Err(too_often())
    }

    async fn touch(&self, id: &IdHash, seen: UnixSeconds, expires: UnixSeconds) -> Result<bool, StoreError> {
        let (key, ttl) = (self.row_key(id), milliseconds(seen, expires));
        let (now, end) = (row::time(seen), row::time(expires));
        let (mut due, mut whose) = (NEVER, None);
        for _ in 0..MAX_TRIES {
            let (due_digits, subject) = (row::time(due), row::subject(whose.as_ref()));
            let arguments: [&[u8]; 5] = [&now, &end, ttl.as_bytes(), &due_digits, &subject];
            match self.scripts.touch.run(&self.link, &key, &arguments).await? {
                Answer::Refused => return Ok(false),
                Answer::Done | Answer::Gone(_) => return Ok(true),
                Answer::Due(subject, expires) => {
                    due = self.enter(&subject, id, seen, expires).await?;
                    whose = Some(subject);
                }
            }
        }
        Err(too_often())
    }

    async fn remove(&self, id: &IdHash, versions: RangeInclusive<u32>) -> Result<bool, StoreError> {
        match self.remove_row(id, versions).await? {
            Answer::Refused | Answer::Due(..) => Ok(false),
            Answer::Done => Ok(true),
            Answer::Gone(subject) => {
                self.leave(&subject, &[*id]).await;
                Ok(true)
            }
        }
    }

    async fn of_subject(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        self.rows_of(subject).await
    }

    async fn all_of_subject(
        &self,
        subject: &SubjectHash,
        own: Option<&IdHash>,
    ) -> Result<Vec<(IdHash, Row)>, StoreError> {
        self.found_rows_of(subject, own).await
    }

    async fn trim(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        self.trimmed(subject, max).await
    }

    async fn start(&self) -> Result<(), StoreError> {
        // The client would send PING to every master of a Cluster, and one that is away must not refuse the launch.
        self.link.ask_once(&command("ECHO", "sessions")).await?;
        self.look_for_eviction().await;
        Ok(())
    }

    async fn stop(&self) {
        self.link.close();
    }

    fn leases(&self) -> Option<&dyn Leases> {
        Some(self)
    }

    fn scan(&self) -> Option<&dyn Scan> {
        Some(self)
    }
}

fn too_often() -> StoreError {
    StoreError::Failed("a session changes faster than it can be entered under its subject".into())
}

#[rocket::async_trait]
impl Leases for Redis {
    async fn grant(&self, name: &[u8], holder: &[u8; 16]) -> Result<bool, StoreError> {
        let milliseconds = (LEASE_SECONDS * 1000).to_string();
        let arguments: [&[u8]; 2] = [holder, milliseconds.as_bytes()];
        let granted = self.scripts.grant.run(&self.link, &self.lease_key(name), &arguments).await?;
        Ok(matches!(granted, Answer::Done))
    }

    async fn release(&self, name: &[u8], holder: &[u8; 16]) -> Result<(), StoreError> {
        self.scripts.release.run(&self.link, &self.lease_key(name), &[holder]).await.map(drop)
    }
}

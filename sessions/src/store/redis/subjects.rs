//! The rows of a subject: the sorted set of their ids, by expiry.
//!
//! A row is entered before it is written: an entry without a row is ignored, a row without its entry would be missed
//! by a list. An entry is renewed only when the end of its row has moved so far that it [is due](super::row::due).

use redis::Value;
use rocket::futures::future::try_join_all;

use super::row::{self, HEAD, damaged};
use super::scripts::Answer;
use super::{Redis, command};
use crate::clock::{Clock, SystemClock, UnixSeconds};
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::backend::{Backend, Row, SubjectHash};

/// How many rows a command, or a heap of commands at once, is about.
const BATCH: usize = 500;

/// An entry without a row may be one whose row is still to be written, unless it expired so many seconds ago.
const MARGIN: i64 = 60;

impl Redis {
    /// Enters a row under its subject, and says until when that is good.
    pub(super) async fn enter(
        &self,
        subject: &SubjectHash,
        id: &IdHash,
        seen: UnixSeconds,
        expires: UnixSeconds,
    ) -> Result<UnixSeconds, StoreError> {
        let (id, now, end) = (id.to_text(), seen.to_string(), expires.to_string());
        let arguments = [id.as_bytes(), now.as_bytes(), end.as_bytes()];
        self.scripts.enter.run(&self.link, &self.subject_key(subject), &arguments).await?;
        Ok(row::due(seen, expires))
    }

    /// Drops entries whose rows are gone. One that stays is dropped when its time is over.
    pub(super) async fn leave(&self, subject: &SubjectHash, ids: &[IdHash]) {
        for ids in ids.chunks(BATCH) {
            let mut removal = command("ZREM", &self.subject_key(subject));
            for id in ids {
                removal.arg(id.to_text());
            }
            let _ = self.link.ask(&removal).await;
        }
    }

    /// All rows of a subject.
    pub(super) async fn rows_of(&self, subject: &SubjectHash) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let ids = self.ranked(subject, 0, -1).await?;
        let rows = try_join_all(ids.iter().map(|id| self.get(id))).await?;
        let rows = ids.into_iter().zip(rows).filter_map(|(id, row)| Some((id, row?)));
        // A row may be gone, or may have got another subject, since it was entered.
        Ok(rows.filter(|(_, row)| row.subject.as_ref() == Some(subject)).collect())
    }

    /// Removes the rows of a subject that were used least recently, until `max` are left, and returns how many there
    /// were. Of a large heap it looks only at those that seem to expire first: at twice as many as have to go, since an
    /// entry does not follow each use of its row.
    pub(super) async fn trimmed(&self, subject: &SubjectHash, max: u64) -> Result<u64, StoreError> {
        let entries = self.entries(subject).await?;
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        let excess = |dead: &[IdHash]| entries.saturating_sub(max).saturating_sub(dead.len() as u64);
        for rank in (0..entries).step_by(BATCH) {
            if live.len() as u64 >= 2 * excess(&dead) {
                break;
            }
            let ids = self.ranked(subject, rank as i64, rank as i64 + BATCH as i64 - 1).await?;
            let heads = try_join_all(ids.iter().map(|id| self.head(id))).await?;
            for (id, head) in ids.into_iter().zip(heads) {
                match head.filter(|head| head.subject.as_ref() == Some(subject)) {
                    Some(head) => live.push((head.seen, head.version, id)),
                    None => dead.push(id),
                }
            }
        }
        live.sort_unstable();
        live.truncate(usize::try_from(excess(&dead)).unwrap_or(usize::MAX));
        let mut removed = Vec::new();
        for heap in live.chunks(BATCH) {
            let removals = heap.iter().map(|(_, version, id)| self.remove_row(id, *version..=*version));
            let answers = try_join_all(removals).await?;
            let gone = heap.iter().zip(answers).filter(|(_, answer)| matches!(answer, Answer::Gone(_)));
            removed.extend(gone.map(|((_, _, id), _)| *id));
        }
        self.leave(subject, &removed).await;
        self.leave_expired(subject, &dead).await;
        Ok(removed.len() as u64)
    }

    /// Drops those entries whose rows are gone and that have expired.
    async fn leave_expired(&self, subject: &SubjectHash, ids: &[IdHash]) {
        let before = SystemClock.seconds().saturating_sub(MARGIN).to_string();
        for ids in ids.chunks(BATCH) {
            let ids: Vec<String> = ids.iter().map(|id| id.to_text()).collect();
            let arguments: Vec<&[u8]> =
                [before.as_bytes()].into_iter().chain(ids.iter().map(String::as_bytes)).collect();
            let _ = self.scripts.leave_expired.run(&self.link, &self.subject_key(subject), &arguments).await;
        }
    }

    /// How many entries a subject has.
    async fn entries(&self, subject: &SubjectHash) -> Result<u64, StoreError> {
        match self.link.ask(&command("ZCARD", &self.subject_key(subject))).await? {
            Value::Int(count) => u64::try_from(count).map_err(|_| damaged()),
            _ => Err(damaged()),
        }
    }

    /// The ids of a subject from one rank to another, those first that expire first.
    async fn ranked(&self, subject: &SubjectHash, from: i64, to: i64) -> Result<Vec<IdHash>, StoreError> {
        let mut range = command("ZRANGE", &self.subject_key(subject));
        range.arg(from).arg(to);
        let Value::Array(entries) = self.link.ask(&range).await? else { return Err(damaged()) };
        let id = |entry: &Value| match entry {
            Value::BulkString(text) => IdHash::from_text(str::from_utf8(text).ok()?),
            _ => None,
        };
        Ok(entries.iter().filter_map(id).collect())
    }

    /// A row without its body.
    pub(super) async fn head(&self, id: &IdHash) -> Result<Option<Row>, StoreError> {
        let mut range = command("GETRANGE", &self.row_key(id));
        range.arg(0).arg(HEAD - 1);
        match self.link.ask(&range).await? {
            Value::BulkString(head) if head.is_empty() => Ok(None),
            Value::BulkString(head) => row::read(head).map(Some),
            _ => Err(damaged()),
        }
    }
}

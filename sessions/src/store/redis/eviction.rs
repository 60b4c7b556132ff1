//! A server that drops keys when its memory is full: sessions go, and the sorted sets by which a subject's sessions are
//! found. Those are written seldom, so that a server which drops what was used least recently drops them first.

use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::{FromRedisValue as _, Value};
use rocket::futures::future::try_join_all;
use rocket::tokio::time::timeout;

use super::row::damaged;
use super::{Redis, command};
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::server::backend::{Row, SubjectHash};

/// How long the start waits for what the servers say of themselves.
const REPORT_TIMEOUT: Duration = Duration::from_secs(1);

impl Redis {
    /// Finds out whether a server drops keys, and warns of it. A server that does not say so, or may not be asked, is
    /// taken for one that drops nothing.
    pub(super) async fn look_for_eviction(&self) {
        let Ok(Ok(reports)) = timeout(REPORT_TIMEOUT, self.reports("memory")).await else { return };
        let policy = reports.iter().find_map(|report| evicting_policy(report));
        self.evicts.store(policy.is_some(), Ordering::Relaxed);
        if let Some(policy) = policy {
            log::warn!(
                "Redis drops keys when its memory is full (maxmemory-policy {policy}): sessions in the namespace {:?} \
                 may be lost, others may be missing where a subject's sessions are listed, and max_sessions and \
                 max_anonymous_sessions may count too few; set maxmemory-policy to noeviction, or keep sessions on a \
                 server of their own",
                self.realm
            );
        }
    }

    /// All rows of a subject, also where their set may have been dropped. It was if it lacks `own`, and may have been if
    /// the server has ever dropped anything: then all rows are looked at.
    pub(super) async fn found_rows_of(
        &self,
        subject: &SubjectHash,
        own: Option<&IdHash>,
    ) -> Result<Vec<(IdHash, Row)>, StoreError> {
        let rows = self.rows_of(subject).await?;
        if !self.evicts.load(Ordering::Relaxed) {
            return Ok(rows);
        }
        let has_own = own.is_none_or(|own| rows.iter().any(|(id, _)| id == own));
        let reports = self.reports("stats").await;
        if has_own
            && reports.is_ok_and(|reports| reports.iter().all(|report| has_evicted(report) == Some(false)))
        {
            return Ok(rows);
        }
        let (mut rows, mut next) = (Vec::new(), Some(Vec::new()));
        while let Some(from) = next {
            let (ids, rest) = self.ids_from(&from).await?;
            let heads = try_join_all(ids.iter().map(|id| self.head(id))).await?;
            let found = ids.into_iter().zip(heads).filter_map(|(id, head)| Some((id, head?)));
            rows.extend(found.filter(|(_, head)| head.subject.as_ref() == Some(subject)));
            next = rest;
        }
        Ok(rows)
    }

    /// A section of what each server that has keys says of itself.
    async fn reports(&self, section: &str) -> Result<Vec<String>, StoreError> {
        let info = command("INFO", section);
        let text = |answer: Value| String::from_redis_value(answer).map_err(|_| damaged());
        if !self.link.is_cluster() {
            return Ok(vec![text(self.link.ask(&info).await?)?]);
        }
        let masters = self.masters().await?;
        let reports = masters.iter().map(async |master| text(self.ask_node(master, &info).await?));
        try_join_all(reports).await
    }
}

/// The value of a line of a report.
fn value<'r>(report: &'r str, name: &str) -> Option<&'r str> {
    report.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

/// The policy by which a server drops keys; `None` if it drops none, or does not say.
fn evicting_policy(memory: &str) -> Option<&str> {
    let is_bounded = value(memory, "maxmemory").is_none_or(|bytes| bytes != "0");
    value(memory, "maxmemory_policy").filter(|policy| is_bounded && *policy != "noeviction")
}

/// Whether a server has dropped a key since it was started.
fn has_evicted(stats: &str) -> Option<bool> {
    value(stats, "evicted_keys").map(|count| count != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_evicts_that_has_a_bound_and_a_policy_other_than_noeviction() {
        let report = |max: &str, policy: &str| {
            format!("# Memory\r\nused_memory:1\r\nmaxmemory:{max}\r\nmaxmemory_policy:{policy}\r\n")
        };
        assert_eq!(evicting_policy(&report("1000", "allkeys-lru")), Some("allkeys-lru"));
        assert_eq!(evicting_policy(&report("1000", "volatile-ttl")), Some("volatile-ttl"));
        assert_eq!(evicting_policy(&report("1000", "noeviction")), None);
        assert_eq!(evicting_policy(&report("0", "allkeys-lru")), None);
        assert_eq!(evicting_policy("maxmemory_policy:allkeys-lru\r\n"), Some("allkeys-lru"));
        assert_eq!(evicting_policy("# Memory\r\nused_memory:1\r\n"), None);
    }
}

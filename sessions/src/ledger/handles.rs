//! Ending a session by its handle, and what it has become since.

use std::collections::HashSet;

use super::entry::{Entry, MAX_HANDLES};
use super::identity::Identity;
use super::node::Ledger;
use super::table::Table;
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::IdHash;

/// A session's handles under the app's keys, the current one's first.
pub(super) struct Handles(Vec<String>);

impl Handles {
    /// As a renewal names them.
    pub(super) fn hashes(&self, identity: &Identity) -> [u64; MAX_HANDLES] {
        std::array::from_fn(|n| self.0.get(n).map_or(0, |handle| identity.handle(handle)))
    }
}

impl Ledger {
    /// Ends the session of a handle, as logs and lists show it, if it was signed in before, and what it has become if it
    /// was renewed since. Whether there is such a session no ledger knows.
    ///
    /// The whole log is read for the renewals. One is kept until the session would have ended without it, so a handle from
    /// earlier leads nowhere; and it names the handles under the current key and three `previous_keys`.
    ///
    /// A node works the handles of sessions out for as long as such an entry matters, but not of those that were signed
    /// in after it.
    ///
    /// # Errors
    /// When the log does not answer: it may go on.
    pub async fn end_by_handle(&self, handle: &str) -> Result<u64, StoreError> {
        let entry = |identity: &Identity| Entry::Handle { handle: identity.handle(handle) };
        let position = self.enter(entry, self.longest()).await?;
        let next = self.renewed_from(handle).await?;
        self.end_renewed(next).await?;
        Ok(position)
    }

    /// What the session of a handle has become, by the renewals in the log, but for what has been entered itself.
    async fn renewed_from(&self, handle: &str) -> Result<Vec<u64>, StoreError> {
        let Some(handle) = self.view().claim.as_ref().map(|(_, identity)| identity.handle(handle)) else {
            return Ok(Vec::new());
        };
        let mut renewed = HashSet::new();
        self.read_all(|lines| {
            for (_, line) in lines {
                if let Some(Entry::Renewed { session, next, handles }) = Entry::read(&line.body)
                    && (handles.contains(&handle) || renewed.contains(&session))
                {
                    renewed.insert(next);
                }
            }
        })
        .await?;
        let view = self.view();
        Ok(renewed.into_iter().filter(|session| view.table.entered_at(*session).is_none()).collect())
    }

    pub(super) fn handles_of(&self, record: &Record) -> Handles {
        Handles(self.sealer.handles(&IdHash::of(&record.id)).take(MAX_HANDLES).collect())
    }

    /// Whether the session of a record has ended by its handle. An anonymous one does not.
    pub(super) fn has_ended_by_handle(&self, table: &Table, identity: &Identity, record: &Record) -> bool {
        let sealed_at = record.position.unwrap_or(0);
        // The handle may be from before a rotation of the keys.
        let of_any_key = || {
            let id = IdHash::of(&record.id);
            self.sealer
                .handles(&id)
                .any(|handle| table.has_ended_by_handle(identity.handle(&handle), sealed_at))
        };
        record.subject.is_some() && table.may_have_ended_by_handle(sealed_at) && of_any_key()
    }
}

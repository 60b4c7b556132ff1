//! What long responses ask of the ledger, and what sign-ins enter where a subject may have one session only.

use rocket::tokio::sync::futures::Notified;

use super::entry::Entry;
use super::identity::Identity;
use super::node::{Ledger, Verdict};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::Record;
use crate::store::Loaded;

impl Ledger {
    /// What has become of a session, as far as this node knows. Asks nobody.
    pub(crate) fn look(&self, record: &Record, now: UnixSeconds) -> Result<Loaded, StoreError> {
        match self.judge(record, now) {
            Verdict::GoesOn => Ok(Loaded::Found(record.clone())),
            Verdict::Superseded => Ok(Loaded::Superseded(None)),
            Verdict::Ended => Ok(Loaded::Missing),
            Verdict::Unknown => Err(StoreError::Failed("the ledger is older than revocation_max_age".into())),
        }
    }

    /// The next change of what this node knows, from this moment on.
    pub(crate) fn news(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Enters a sign-in, which ends the subject's other sessions, and returns the position to seal it at: that of the
    /// entry. If the subject's sessions, or everyone's, were ended since the sign-in began at `sealed_at`, it stays
    /// there, and has ended with them.
    pub(crate) async fn sign_in(&self, subject: &str, sealed_at: u64) -> Result<u64, StoreError> {
        let entry = |identity: &Identity| Entry::SignedIn { subject: identity.subject(subject) };
        let position = self.enter(entry, self.longest()).await?;
        let view = self.view();
        let Some((_, identity)) = &view.claim else { return Ok(sealed_at) };
        let is_revoked = view.table.has_revoked_all(identity.subject(subject), sealed_at);
        Ok(if is_revoked { sealed_at } else { position })
    }
}

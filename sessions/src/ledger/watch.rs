//! What long responses ask of the ledger, and what sign-ins enter where a subject may have one session only.

use rocket::tokio::sync::futures::Notified;

use super::entry::Entry;
use super::identity::Identity;
use super::node::{Ledger, Verdict};
use super::others::EndedOthers;
use crate::clock::UnixSeconds;
use crate::data::Labels;
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

    /// Enters a sign-in, which ends the subject's other sessions. If the subject's sessions, everyone's, or those with one
    /// of its labels were ended since the sign-in began at `sealed_at`, it has ended with them, and must not be sealed above
    /// that. `None` where this node knows it before: then nothing is entered.
    pub(crate) async fn sign_in(
        &self,
        subject: &str,
        labels: &Labels<'_>,
        sealed_at: u64,
    ) -> Result<Option<EndedOthers>, StoreError> {
        if self.is_revoked(subject, labels, sealed_at) {
            return Ok(None);
        }
        let entry = |identity: &Identity| Entry::SignedIn { subject: identity.subject(subject) };
        let position = self.enter(entry, self.longest()).await?;
        let goes_on = !self.is_revoked(subject, labels, sealed_at);
        Ok(Some(EndedOthers { position, goes_on }))
    }

    /// Whether a sign-in that began at this position has ended by more than a later sign-in.
    fn is_revoked(&self, subject: &str, labels: &Labels<'_>, sealed_at: u64) -> bool {
        let view = self.view();
        let Some((_, identity)) = &view.claim else { return false };
        let by_label = |label: &str| view.table.has_ended_label(identity.label(label), sealed_at);
        view.table.has_revoked_all(identity.subject(subject), sealed_at)
            || labels.iter().flatten().any(|label| by_label(label))
    }
}

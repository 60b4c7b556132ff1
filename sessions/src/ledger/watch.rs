//! What long responses ask of the ledger.

use rocket::tokio::sync::futures::Notified;

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
}

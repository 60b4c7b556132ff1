//! Sealing at rest: anyone who reads the database learns nothing of a session.

use std::fmt;
use std::sync::Arc;

use crate::cookie::keyring::{KeyAge, Keyring};
use crate::cookie::ticket::Ticket;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// The app's keys, as a store has them: seals the bodies of rows. Each is bound to its id, so that one that was moved to
/// another row does not open. Versions, times and hashes stay readable: databases look rows up by them.
pub struct Sealer(Arc<Keyring>);

impl Sealer {
    pub(crate) fn new(keyring: Arc<Keyring>) -> Sealer {
        Sealer(keyring)
    }

    pub(crate) fn seal(&self, id: &IdHash, body: &str) -> Result<Vec<u8>, StoreError> {
        let sealed = self.0.seal(&associated(id), Ticket::new(body));
        sealed.map_err(|_| StoreError::Failed("cannot seal the data".into()))
    }

    /// A session's handle under each of the keys, the current one first.
    pub(crate) fn handles(&self, id: &IdHash) -> impl Iterator<Item = String> {
        self.0.handles(id)
    }

    /// `None` if no key opens it.
    pub(crate) fn open(&self, id: &IdHash, sealed: Vec<u8>) -> Option<(String, KeyAge)> {
        let (ticket, age) = self.0.open(&associated(id), sealed).ok()?;
        Some((ticket.text().to_owned(), age))
    }
}

fn associated(id: &IdHash) -> Vec<u8> {
    [b"data at rest ", &id.as_bytes()[..]].concat()
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(all(test, feature = "memory"))]
mod tests {
    use super::*;
    use crate::cookie::keyring::{AppKey, Rollover};
    use crate::store::{StoreOptions, conformance, open};

    /// No two seals are equal: what is compared must be what is in them.
    #[rocket::async_test]
    async fn a_store_that_seals_keeps_the_contract_too() {
        let key = Arc::new(AppKey::new(&cookie::Key::generate()).unwrap());
        let keyring = Keyring::new(key, &[], Rollover { length: None, lifetime: 0 }).unwrap();
        let store = open("memory", "s").unwrap();
        let options =
            StoreOptions { sealer: Sealer::new(Arc::new(keyring)), seal_at_rest: true, max_anonymous: None };
        store.service().unwrap().configure(options).unwrap();
        let report = conformance::check(&store).await;
        assert!(report.passed(), "{report}");
    }
}

//! Ending in the store what a request has destroyed.

use crate::clock::moment;
use crate::failure::Failure;
use crate::realm::Realm;
use crate::record::id::IdHash;
use crate::state::Destroyed;

/// Ends in the store what `destroy` has ended.
pub(crate) async fn end(realm: &Realm, destroyed: Option<&Destroyed>) -> Result<(), Failure> {
    let (ticket, record) = match destroyed {
        None | Some(Destroyed::Nothing) => return Ok(()),
        Some(Destroyed::Session(ticket, record)) => (ticket, Some(record)),
        Some(Destroyed::Superseded(ticket)) => (ticket, None),
    };
    realm.store.delete(ticket.text()).await.map_err(|error| {
        let path = &realm.path;
        let copy_lives_until = record.map(|record| moment(realm.timeouts.expires(record)));
        match (record, copy_lives_until) {
            (Some(record), Some(until)) => {
                let handle = realm.keyring.handle(&IdHash::of(&record.id));
                log::error!(
                    "sessions of {path:?}: cannot end {handle}, whose copy lives until {until}: {error}"
                );
            }
            _ => log::error!("sessions of {path:?}: cannot end a session that was renewed: {error}"),
        }
        Failure::Unavailable { copy_lives_until }
    })
}

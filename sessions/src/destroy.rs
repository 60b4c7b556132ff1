//! Ending in the store what a request has destroyed.

use crate::clock::moment;
use crate::events::{About, By, Kind, Name, RequestId};
use crate::failure::Failure;
use crate::realm::Realm;
use crate::record::id::IdHash;
use crate::state::{Destroyed, id_of};

/// Ends in the store what `destroy` has ended.
pub(crate) async fn end(
    realm: &Realm,
    request: Option<RequestId>,
    destroyed: Option<&Destroyed>,
) -> Result<(), Failure> {
    let (ticket, record) = match destroyed {
        None | Some(Destroyed::Nothing) => return Ok(()),
        Some(Destroyed::Session(ticket, record)) => (ticket, Some(record)),
        Some(Destroyed::Superseded(ticket)) => (ticket, None),
    };
    if let Err(error) = realm.store.delete(ticket.text()).await {
        let copy_lives_until = record.map(|record| moment(realm.timeouts.expires(record)));
        let what = match (record, copy_lives_until) {
            (Some(record), Some(until)) => {
                let handle = realm.keyring.handle(&IdHash::of(&record.id));
                format!("end {handle}, whose copy lives until {until}")
            }
            _ => "end a session that was renewed".to_owned(),
        };
        realm.fault(request, &what, &error);
        return Err(Failure::Unavailable { copy_lives_until });
    }
    if realm.teller.is_heard() {
        let id = record.map(|record| record.id).or_else(|| id_of(ticket));
        let subject = record.and_then(|record| record.subject.as_deref());
        let about = About { session: id.as_ref().map(Name::Id), subject, request, ..About::default() };
        realm.teller.tell(Kind::Ended(By::Visitor), about);
    }
    Ok(())
}

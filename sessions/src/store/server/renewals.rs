//! Sessions that are to end, and get a new id just then.

use crate::error::StoreError;
use crate::record::id::IdHash;

/// How many renewals an end is followed through.
const MOST: usize = 16;

/// Ends the session of `id`, or what it has become: `end` ends the session of an id, or says which one it
/// was renewed to.
pub(in crate::store) async fn end_through_renewals<F>(
    id: &IdHash,
    end: impl Fn(IdHash) -> F,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<Option<IdHash>, StoreError>>,
{
    let mut id = *id;
    for _ in 0..MOST {
        match end(id).await? {
            Some(next) => id = next,
            None => return Ok(()),
        }
    }
    Err(too_often())
}

/// Ends sessions until there are none: `pass` ends those that it finds, and says how many. One pass may miss
/// a session that is being renewed, so two in a row must find none.
pub(in crate::store) async fn end_until_none_is_left<F>(pass: impl Fn() -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    let (mut ended, mut empty) = (0, 0);
    for _ in 0..MOST {
        let found = pass().await?;
        ended += found;
        empty = if found == 0 { empty + 1 } else { 0 };
        if empty == 2 {
            return Ok(ended);
        }
    }
    Err(too_often())
}

fn too_often() -> StoreError {
    StoreError::Failed("sessions are renewed faster than they can be ended".into())
}

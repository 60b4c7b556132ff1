//! Whose namespace this is: two apps with different keys must not keep their sessions under one.

use super::backend::Row;
use super::rows::Rows;
use super::steps::Steps;
use crate::clock::UnixSeconds;
use crate::cookie::keyring::KeyAge;
use crate::error::StoreError;
use crate::record::id::IdHash;

/// The last second of the year 9999: the value stays.
const NEVER: UnixSeconds = 253_402_300_799;

/// How often the value may change while it is looked at: nodes that start together seal it anew together.
const MAX_TRIES: usize = 8;

/// Keeps a value under the namespace that only the app's keys open, or opens the one that is there. The current key
/// seals anew what a previous one did, so that an old key can be retired.
pub(super) async fn claim(rows: &Rows, steps: &Steps) -> Result<(), StoreError> {
    let Some(sealer) = rows.sealer() else { return Ok(()) };
    let id = IdHash::of_namespace(rows.namespace());
    let row = |version| {
        let body = sealer.seal(&id, rows.namespace())?;
        Ok::<_, StoreError>(Row { version, seen: 0, expires: NEVER, subject: None, body })
    };
    steps.set_foreign(false);
    for _ in 0..MAX_TRIES {
        let Some(found) = steps.take(|backend| backend.get(&id)).await? else {
            let first = row(1)?;
            if steps.take(|backend| backend.insert(&id, &first)).await? {
                return Ok(());
            }
            continue;
        };
        match sealer.open(&id, found.body) {
            Some((_, KeyAge::Current)) => return Ok(()),
            Some((_, KeyAge::Previous)) => {
                let next = row(found.version.saturating_add(1))?;
                if steps.take(|backend| backend.replace(&id, found.version, &next)).await? {
                    return Ok(());
                }
            }
            None => {
                steps.set_foreign(true);
                return Err(StoreError::Refused(format!(
                    "an app with other keys keeps its sessions under the namespace {:?}; give this one a namespace \
                     of its own, or that app's key as one of previous_keys",
                    rows.namespace()
                )));
            }
        }
    }
    Err(StoreError::Failed("the namespace is claimed by several nodes at once".into()))
}

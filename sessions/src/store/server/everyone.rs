//! Going through the sessions of everyone in a namespace.

use rocket::futures::FutureExt as _;
use rocket::futures::future::ready;

use super::MAX_RENEWALS;
use super::backend::{Row, Scanned};
use super::body::Body;
use super::rows::Rows;
use super::steps::Steps;
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::record::id::IdHash;
use crate::store::{Listed, Page};

/// The live sessions on a page of rows that have a subject of this namespace.
pub(super) async fn page(
    rows: &Rows,
    steps: &Steps,
    from: &[u8],
    now: UnixSeconds,
) -> Result<Page, StoreError> {
    let scanned = steps.take(|backend| match backend.scan() {
        Some(scan) => scan.page(from),
        None => ready(Ok(Scanned::default())).boxed(),
    });
    let Scanned { rows: scanned, next } = scanned.await?;
    let mut page = Page { next, ..Page::default() };
    for (id, row) in scanned {
        let is_marker = row.version == 0;
        match session(rows, steps, id, row, now).await? {
            Some(session) if is_marker => page.renewed.push((rows.id_at(&id), session)),
            Some(session) => page.sessions.push(session),
            None => {}
        }
    }
    Ok(page)
}

/// The live session of a row, or the one that it has become: whose row may have been passed before it was there.
async fn session(
    rows: &Rows,
    steps: &Steps,
    id: IdHash,
    row: Row,
    now: UnixSeconds,
) -> Result<Option<Listed>, StoreError> {
    let (mut at, mut row) = (id, row);
    for _ in 0..=MAX_RENEWALS {
        let (subject, expires) = (row.subject, row.expires);
        match rows.opened(&at, row) {
            Some(Body::Session(fields)) if now < expires && rows.owns(subject, &fields) => {
                return Ok(Some(fields.into_listed(rows.id_at(&at))));
            }
            Some(Body::Marker { next, .. }) => {
                let Some(found) = steps.take(|backend| backend.get(&next)).await? else { return Ok(None) };
                (at, row) = (next, found);
            }
            // One that no key opens is one that no browser can resume.
            Some(Body::Session(_)) | None => return Ok(None),
        }
    }
    Ok(None)
}

//! An account is one for all realms: what ends its sessions in each of them.

use sealed_sessions::{Ended, SessionError};

use super::accounts::Account;
use super::audit::Audit;
use super::page::Page;
use super::visitor::Session;

/// Ends every other session of an account, in every realm that can (ASVS 5.0, 7.4.2 and 7.4.3). A realm that cannot sees
/// by the account's stamp that they are over.
///
/// # Errors
/// When a realm's store does not answer. The other realms' sessions end all the same, but not those of this realm: a
/// ledger would end this session too, since an error page renews none.
pub(super) async fn end_others(
    page: &Page<'_>,
    session: Session<'_>,
    account: &Account,
    audit: &Audit,
) -> Result<(), SessionError> {
    end_in_other_realms(page, account, audit).await?;
    note(audit, session.end_others().await)
}

/// Ends an account's sessions in every realm but the request's own.
async fn end_in_other_realms(page: &Page<'_>, account: &Account, audit: &Audit) -> Result<(), SessionError> {
    let mut done = Ok(());
    for path in page.realm_paths() {
        if page.realms().here() != Some(path) {
            let ended = page.realms().end_subject(path, &account.subject()).await;
            done = done.and(note(audit, ended));
        }
    }
    done
}

/// Notes that sessions have ended, whatever becomes of the request.
fn note(audit: &Audit, ended: Result<Ended, SessionError>) -> Result<(), SessionError> {
    if matches!(ended, Ok(Ended::Sessions(1..) | Ended::Uncounted)) {
        audit.begin();
    }
    ended.map(drop)
}

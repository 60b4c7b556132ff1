//! An account is one for all realms: what ends its sessions in those that a request does not lie in.

use sealed_sessions::SessionError;

use super::accounts::Account;
use super::page::Page;

/// Ends an account's sessions in every other realm that can (ASVS 5.0, 7.4.2 and 7.4.3). A realm that cannot sees by the
/// account's stamp that they are over.
///
/// # Errors
/// When a realm's store does not answer. The others are taken all the same.
pub(super) async fn end_in_other_realms(page: &Page<'_>, account: &Account) -> Result<(), SessionError> {
    let mut done = Ok(());
    for path in page.realm_paths() {
        if page.realms().here() != Some(path) {
            let ended = page.realms().end_subject(path, &account.subject()).await;
            done = done.and(ended.map(drop));
        }
    }
    done
}

//! What the app keeps in a session, and how somebody is signed in to it.

use std::borrow::Cow;

use sealed_sessions::{Powers, SessionData};
use serde::{Deserialize, Serialize};

use super::accounts::{Account, Proven, Stamp};
use super::browser::Browser;
use super::flash::{self, Flash};

/// The session's data. Fields that hold their default are omitted, so that the cookie stays small.
#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Visitor {
    /// How often this browser has visited the counting page.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub visits: u64,
    /// The account that is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Account>,
    /// A text from the cookie's page, to see the session grow.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The account's stamp at the sign-in, as long as it has to be compared; none stands for the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stamp: Option<Stamp>,
    /// The browser that signed in, in words; only where sessions can be listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) browser: Option<String>,
    /// What the next page tells once.
    #[serde(default, deserialize_with = "flash::known", skip_serializing_if = "Option::is_none")]
    pub(super) flash: Option<Flash>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_ref().map(Account::subject).map(Cow::Owned)
    }
}

/// The session of the realm.
pub(super) type Session<'r> = sealed_sessions::Session<'r, Visitor>;

/// The same, but refused with 409 where this process has seen a newer state of it: the form was filled in on an older
/// page than the visitor knows.
pub(super) type Current<'r> = sealed_sessions::Current<'r, Visitor>;

/// The same, read without using it.
pub(super) type ReadOnly<'r> = sealed_sessions::ReadOnly<'r, Visitor>;

/// Makes this session the account's: a new id against fixation, new form tokens, the visits kept. The next page tells
/// `flash`.
pub(super) fn sign_in(session: Session<'_>, proven: Proven, remember: bool, browser: Browser, flash: Flash) {
    let powers = session.inspect().powers();
    let stamp = match powers {
        // Compared with every request.
        Powers::Nothing => Some(proven.stamp).filter(|stamp| *stamp != Stamp::default()),
        // A ledger knows by itself which sign-ins a password change came between.
        Powers::Ends => None,
        // Compared once, now that the session is there.
        Powers::Lists => Some(proven.stamp),
    };
    let browser = (powers == Powers::Lists).then_some(browser.0);
    session.sign_in(|visitor| {
        visitor.user = Some(proven.account);
        visitor.stamp = stamp;
        visitor.browser = browser;
        visitor.flash = Some(flash);
    });
    if remember {
        session.remember();
    }
}

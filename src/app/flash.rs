//! One-time notices: what a request has done, told by the next page of the realm that is shown. They are in the session
//! and not in an address, which anybody could write.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What the next page tells: a field of the session, which that page takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Flash {
    /// An account was made, and its owner signed in.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// Somebody who is signed in asked for the form to sign in or to register.
    AlreadySignedIn,
    /// A password was changed.
    PasswordChanged {
        /// Whether all other sessions have ended, in every realm.
        is_whole: bool,
    },
    /// How many other sessions were ended; `None` where they were not counted.
    OthersEnded(Option<u64>),
    /// An account was deleted. Nobody is signed in any more.
    AccountDeleted,
}

impl Flash {
    /// What the page says, to the user of this name if there is one.
    pub(super) fn notice(self, user: Option<&str>) -> String {
        let notice = match (self, user) {
            (Flash::Registered, Some(user)) => {
                return format!("Account created. You are signed in as {user}.");
            }
            (Flash::OthersEnded(Some(count @ 2..)), _) => {
                return format!("{count} other sessions have ended.");
            }
            (Flash::Registered, None) => "Account created.",
            (Flash::SignedIn, _) => "Signed in.",
            (Flash::AlreadySignedIn, _) => "You are already signed in.",
            (Flash::PasswordChanged { is_whole: true }, _) => {
                "Your password has been changed. Every other session of your account has ended, in every realm."
            }
            (Flash::PasswordChanged { is_whole: false }, _) => {
                "Your password has been changed, but a store did not answer: check the sessions of each realm, and end those \
                 that are left."
            }
            (Flash::OthersEnded(None), _) => "Every other session of your account in this realm has ended.",
            (Flash::OthersEnded(Some(0)), _) => "There was no other session to end.",
            (Flash::OthersEnded(Some(1)), _) => "1 other session has ended.",
            (Flash::AccountDeleted, _) => "Your account has been deleted, and all its sessions have ended.",
        };
        notice.to_owned()
    }
}

/// Reads a notice. One that only another release knows is not told: nobody is to lose a session by it.
pub(super) fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Flash>, D::Error> {
    Value::deserialize(deserializer).map(|value| serde_json::from_value(value).ok())
}

//! One-time notices: what a request has done, told by the next page of the realm that is shown.

use serde::{Deserialize, Serialize};

/// What the next page tells: a field of the session, which that page takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Flash {
    /// An account was made, and its owner signed in.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// Somebody who is signed in asked for the form to sign in or to register.
    AlreadySignedIn,
}

impl Flash {
    /// What the page says to the user of this name.
    pub(super) fn notice(self, user: &str) -> String {
        match self {
            Flash::Registered => format!("Account created. You are signed in as {user}."),
            Flash::SignedIn => "Signed in.".to_owned(),
            Flash::AlreadySignedIn => "You are already signed in.".to_owned(),
        }
    }
}

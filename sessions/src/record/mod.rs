//! What a session is: a [`Record`].

pub(crate) mod id;
pub(crate) mod merge;
pub(crate) mod timeouts;
pub(crate) mod versions;
pub(crate) mod wire;

use std::fmt;

use self::id::Id;
use crate::clock::UnixSeconds;

/// A session as a store sees it. It knows no store, no cookie and no Rust type: `data` is the JSON
/// object that the app's type was written as.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id. Every change of privilege gives it a new one.
    pub id: Id,
    /// When the session was opened, or its subject last proved who they are: where the absolute timeout starts.
    pub created: UnixSeconds,
    /// When it was last used, to within the lesser of a tenth of `idle_timeout` and one minute.
    pub seen: UnixSeconds,
    /// How many times its data was written; 1 for a new session.
    pub version: u32,
    /// The app's data: the text of a JSON object.
    pub data: String,
    /// Whether this login asked to be remembered.
    pub remembered: bool,
    /// When the subject last proved who they are.
    pub signed_in: Option<UnixSeconds>,
    /// Whose session it is; `None` while it is anonymous.
    pub subject: Option<String>,
    /// The position in the [ledger](crate::ledger) up to which its node knew everything when the subject signed in;
    /// `None` without a ledger.
    pub position: Option<u64>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("created", &self.created)
            .field("seen", &self.seen)
            .field("version", &self.version)
            .field("data", &format_args!("{} bytes", self.data.len()))
            .field("remembered", &self.remembered)
            .field("signed_in", &self.signed_in)
            .field("subject", &self.subject.as_ref().map(|_| ".."))
            .field("position", &self.position)
            .finish()
    }
}

//! What can happen.

use std::time::Duration;

use crate::error::{Arrival, Invalid, Timeout};
use crate::forms::Refusal;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A request came with a live session. Told once for each request and realm.
    Resumed,
    /// A new session is kept.
    Opened,
    /// A subject has signed in: the session has a new id. A session that is new too was [`Kind::Opened`] before.
    SignedIn,
    /// The subject has proven once more who they are: the session has a new id.
    Reauthenticated,
    /// The session has a new id for another reason.
    Renewed,
    /// One session has ended.
    Ended(By),
    /// All sessions of a subject have ended, or everyone's if the event has no subject. The event's session is the one
    /// that asked for it, and goes on.
    AllEnded {
        /// Who has ended them.
        by: By,
        /// How many there were; `None` where a ledger has ended them, which does not know.
        count: Option<u64>,
    },
    /// A request came with the genuine cookie of a session that has timed out. A server store forgets such a session:
    /// there it is refused as [`Arrival::Revoked`].
    Expired(Timeout),
    /// A request came with a cookie that is ignored: [`Arrival::Invalid`], [`Arrival::Revoked`] or
    /// [`Arrival::Superseded`].
    Refused(Arrival),
    /// A request came with the genuine cookie of a session that a logout or a renewal has ended longer ago than
    /// [`RENEWAL_GRACE`](crate::store::RENEWAL_GRACE), as this node's ledger has it: somebody has kept a copy, or a
    /// browser never got the answer. Within at most twice the grace, and for as long after a node's start, it is refused
    /// as [`Arrival::Revoked`].
    Replayed,
    /// A form was refused: [`Protected`](crate::forms::Protected). What an app does about a token that
    /// [`Session::verify`](crate::Session::verify) refuses is its own affair.
    FormRefused(Refusal),
    /// Another request was faster: the changes of both are kept, field by field.
    Merged,
    /// A session was ended while a request changed it: the change is not kept.
    ChangeLost,
    /// The session as the request left it is not kept.
    NotKept(Unkept),
    /// The store, or the ledger, does not answer or refuses.
    StoreFault,
    /// A session was sealed and sent.
    Sealed {
        /// The length of the `Set-Cookie` lines.
        bytes: usize,
        /// How often this process has sealed with the key. All processes together may do so 2³² times (SP 800-38D, 8.3).
        seals: u64,
    },
    /// The store or the ledger's log has answered a call.
    Called {
        /// What it was asked for.
        call: Call,
        /// How long that took.
        took: Duration,
    },
    /// The ledger was read, or could not be: what this node knows is so many seconds old; `None` before it has read
    /// anything.
    LedgerAge(Option<u64>),
}

/// Who has ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// The visitor, or a handler on their behalf: `destroy`.
    Visitor,
    /// Another session of its subject: `end_other` or `end_others`.
    Subject,
    /// The app, for a subject in a whole realm: [`Realms::end_subject`](crate::Realms::end_subject).
    App,
    /// An operator beside the app: [`RealmOperator`](crate::operator::RealmOperator).
    Operator,
    /// A sign-in of its subject beyond the setting `max_sessions`.
    Limit,
}

/// Why a session is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unkept {
    /// It is larger than `max_cookie_bytes` or `max_session_bytes`.
    TooLarge,
    /// Its subject has `max_sessions` already.
    TooManySessions,
    /// Its data has no text that reads back.
    Data,
    /// It cannot be sealed: the operating system gives no random bits.
    Seal,
}

/// What a store or a ledger's log is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Call {
    /// The session of a ticket.
    Load,
    /// To keep a session.
    Save,
    /// To end sessions.
    End,
    /// To list sessions.
    List,
    /// To let requests take turns.
    Lock,
    /// The ledger's log: what is new.
    LedgerRead,
    /// The ledger's log: to add an entry.
    LedgerAppend,
}

impl Kind {
    /// Its name for logs and metrics, such as `"signed_in"`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Resumed => "resumed",
            Kind::Opened => "opened",
            Kind::SignedIn => "signed_in",
            Kind::Reauthenticated => "reauthenticated",
            Kind::Renewed => "renewed",
            Kind::Ended(_) => "ended",
            Kind::AllEnded { .. } => "all_ended",
            Kind::Expired(_) => "expired",
            Kind::Refused(_) => "refused",
            Kind::Replayed => "replayed",
            Kind::FormRefused(_) => "form_refused",
            Kind::Merged => "merged",
            Kind::ChangeLost => "change_lost",
            Kind::NotKept(_) => "not_kept",
            Kind::StoreFault => "store_fault",
            Kind::Sealed { .. } => "sealed",
            Kind::Called { .. } => "called",
            Kind::LedgerAge(_) => "ledger_age",
        }
    }

    /// Its reason, its limit or its author for logs and metrics, such as `"idle"`: one of a few words.
    pub fn reason(self) -> Option<&'static str> {
        Some(match self {
            Kind::Ended(by) | Kind::AllEnded { by, .. } => by.name(),
            Kind::Expired(Timeout::Idle) => "idle",
            Kind::Expired(Timeout::Absolute) => "absolute",
            Kind::Refused(Arrival::Invalid(reason)) => invalid(reason),
            Kind::Refused(Arrival::Superseded) => "superseded",
            Kind::Refused(_) => "revoked",
            Kind::FormRefused(Refusal::CrossSite) => "cross_site",
            Kind::FormRefused(Refusal::NoCookie) => "no_cookie",
            Kind::FormRefused(Refusal::Token) => "token",
            Kind::NotKept(unkept) => unkept.name(),
            Kind::Called { call, .. } => call.name(),
            _ => return None,
        })
    }
}

fn invalid(reason: Invalid) -> &'static str {
    match reason {
        Invalid::Malformed => "malformed",
        Invalid::Seal => "seal",
        Invalid::Format => "format",
        Invalid::Schema => "schema",
        Invalid::Future => "future",
        Invalid::Ambiguous => "ambiguous",
    }
}

impl By {
    fn name(self) -> &'static str {
        match self {
            By::Visitor => "visitor",
            By::Subject => "subject",
            By::App => "app",
            By::Operator => "operator",
            By::Limit => "limit",
        }
    }
}

impl Unkept {
    fn name(self) -> &'static str {
        match self {
            Unkept::TooLarge => "too_large",
            Unkept::TooManySessions => "too_many_sessions",
            Unkept::Data => "data",
            Unkept::Seal => "seal",
        }
    }
}

impl Call {
    /// Its name for metrics, such as `"load"`.
    pub fn name(self) -> &'static str {
        match self {
            Call::Load => "load",
            Call::Save => "save",
            Call::End => "end",
            Call::List => "list",
            Call::Lock => "lock",
            Call::LedgerRead => "ledger_read",
            Call::LedgerAppend => "ledger_append",
        }
    }
}

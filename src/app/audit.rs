//! What the log says of sessions and accounts: a line for each event, for programs to read (ASVS 5.0, 16.3).

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use log::Level;
use rocket::request::{FromRequest, Outcome, Request};
use sealed_sessions::events::{Event, Kind, Listener, RequestId, Unkept};

use super::accounts::{Account, AccountError, Verified};
use super::event_line::{Line, cut};
use super::throttle::{Address, Wait};

/// The most of a name that is logged, in characters.
const MAX_TYPED: usize = 64;

/// Logs the events of sessions.
pub(super) struct SessionLog;

impl Listener for SessionLog {
    fn hear(&self, event: &Event<'_>) {
        let Some(level) = level(event.kind()) else { return };
        let line = Line::new(level, event.kind().name()).pair("realm", event.realm());
        let count = match event.kind() {
            Kind::AllEnded { count, .. } => count,
            _ => None,
        };
        line.maybe("reason", event.kind().reason())
            .maybe("session", event.session())
            .maybe("before", event.before())
            .maybe("account", event.subject())
            .maybe("count", count)
            .why(event.why())
            .maybe("request", event.request())
            .write();
    }

    fn logs(&self) -> bool {
        true
    }
}

/// How grave an event is; `None` for what is counted only.
fn level(kind: Kind) -> Option<Level> {
    Some(match kind {
        Kind::Resumed | Kind::Merged | Kind::Sealed { .. } | Kind::Called { .. } | Kind::LedgerAge(_) => {
            return None;
        }
        Kind::NotKept(Unkept::TooManySessions) => Level::Info,
        Kind::StoreFault | Kind::NotKept(_) => Level::Error,
        Kind::Replayed | Kind::FormRefused(_) => Level::Warn,
        Kind::Refused(_) | Kind::Opened => Level::Debug,
        _ => Level::Info,
    })
}

/// What a page logs of an account, with the name of its request.
pub(super) struct Audit {
    request: RequestId,
    from: Address,
    names: Arc<Names>,
    begun: Begun,
}

/// Whether a request has done something that a fault afterwards does not undo.
#[derive(Default, Clone)]
struct Begun(Arc<AtomicBool>);

/// Hashes names with a key that this process alone has, and forgets: equal hashes are equal names, and nobody learns
/// which. People type their password into the wrong field.
#[derive(Default)]
pub(super) struct Names(RandomState);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Audit {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Audit, Infallible> {
        Outcome::Success(Audit::of(request))
    }
}

impl Audit {
    /// What this request logs.
    pub(super) fn of(request: &Request<'_>) -> Audit {
        let names = request.rocket().state::<Arc<Names>>().cloned().unwrap_or_default();
        let begun = request.local_cache(Begun::default).clone();
        Audit { request: RequestId::of(request), from: Address::of_client(request), names, begun }
    }

    /// Notes that this request has done something: if it fails now, its page must not say that nothing was changed.
    pub(super) fn begin(&self) {
        self.begun.0.store(true, Relaxed);
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.0.load(Relaxed)
    }

    /// Logs what has been done about an account.
    pub(super) fn done(&self, event: &'static str, account: &Account) {
        self.begin();
        self.about(Level::Info, event, account).write();
    }

    /// Logs that the password of an account that is signed in was wrong.
    pub(super) fn wrong_password(&self, event: &'static str, account: &Account) {
        self.about(Level::Warn, event, account).pair("reason", "wrong_password").write();
    }

    /// Logs that a sign-in was refused. What was typed for a name is logged only if an account has it.
    pub(super) fn sign_in_refused(&self, refused: &Verified, typed: &str) {
        let event = "sign_in_refused";
        let known = |account, reason| self.about(Level::Warn, event, account).pair("reason", reason);
        let line = match refused {
            Verified::WrongPassword(account) => {
                known(account, "wrong_password").pair("name", cut(&account.name, MAX_TYPED))
            }
            Verified::Disabled(account) => {
                known(account, "disabled").pair("name", cut(&account.name, MAX_TYPED))
            }
            Verified::Unknown => self
                .line(Level::Warn, event)
                .pair("reason", "unknown_name")
                .pair("name_hash", format_args!("{:016x}", self.names.0.hash_one(typed))),
            // One that came too often is logged with the answer that says until when.
            Verified::TooOften(_) | Verified::Right(_) => return,
        };
        line.write();
    }

    /// Logs that a password was not checked, since too many were wrong. Where nobody is signed in, no account is known:
    /// whether the name has one was not looked up.
    pub(super) fn too_often(&self, event: &'static str, account: Option<&Account>, wait: Wait) {
        self.line(Level::Warn, event)
            .maybe("account", account.map(|account| account.id))
            .pair("reason", "too_often")
            .pair("address", self.from)
            .pair("retry_after", wait.seconds())
            .write();
    }

    /// Logs that sessions of an account may have survived what should have ended them.
    pub(super) fn sessions_left(&self, account: &Account) {
        self.about(Level::Error, "sessions_left", account).write();
    }

    /// Logs that the accounts do not answer.
    pub(super) fn fault(&self, error: &AccountError) {
        self.line(Level::Error, "accounts_fault").why(Some(error)).write();
    }

    fn about(&self, level: Level, event: &'static str, account: &Account) -> Line {
        self.line(level, event).pair("account", account.id)
    }

    fn line(&self, level: Level, event: &'static str) -> Line {
        Line::new(level, event).pair("request", self.request)
    }
}

//! The ledger: cookie sessions that the server can end, without a lookup on ordinary requests.
//!
//! A cookie that holds its whole session opens wherever the key is, so a copy of it outlives the logout. The setting
//! `revocation` adds a ledger of what has ended to a realm of cookie sessions. An entry ends one session (a logout, a
//! renewal of its id, or an operator who knows its handle), all sessions of a subject or with a [label](crate::SessionData::labels), or everyone's.
//!
//! # How it works
//!
//! - The entries are in a [`Log`] that all nodes share, in one order: each has a position, one above the last. A node
//!   holds those that still matter in memory (24 bytes each, 29 to 57 with the room of the table), and checks a
//!   session against them without asking anybody.
//! - A logout, a renewal and a sign-in append before the response leaves: on its own node an entry counts at once. Other
//!   nodes read what is new every second, and sooner where the log can push a [hint](Hints): PostgreSQL and Redis can.
//!   [How long until a logout is known everywhere?](https://git.example/sealed-sessions/blob/main/docs/logout.md) has
//!   the times of every log, as measured.
//! - A sign-in seals the position that its node had reached when the request's session was loaded, before any
//!   password was checked. An entry for a subject ends the sessions of that subject that were sealed at a lower
//!   position. So no clock decides what came first. The request that signs in comes with an anonymous session and
//!   an unsafe method, and for such a request the log is read first: a login right after "log out everywhere" works
//!   on every node. A sign-in by a GET (a redirect from an identity provider) does not read first, and may have to be
//!   repeated if its subject was logged out everywhere within the last second on another node.
//! - The log has an identity, sealed by the app's keys, so that an app with other keys cannot use it by mistake. It
//!   begins at a position that is taken from the clock, with an entry that ends all sessions that were signed in
//!   before. A log that was emptied therefore ends sessions rather than bringing any back.
//!
//! # When the log does not answer
//!
//! Once what a node knows is older than `revocation_max_age`, sessions with a subject get 503, and anonymous ones go
//! on. The node tries again every second and with each request that needs it.
//!
//! # When the log has lost entries
//!
//! A node notices that the entry it read last is no longer there, that the log has another identity, or that a
//! genuine cookie was sealed at a position which the log has never reached. It says so in the app's log, puts back what
//! it remembers, or, where that is not enough, ends everyone's sessions.
//!
//! # When a clock is wrong
//!
//! No clock decides what came first, but entries are forgotten by one. A clock that is far ahead for less than ten minutes
//! changes nothing. If it is for longer, its node forgets what still matters, and reads it again once the clock is
//! right: a server keeps it by a clock of its own. A log in memory or in an SQLite file uses the same wrong clock, and has
//! lost it: there the sessions that ended in that time have to be ended again.

mod announce;
mod bounded;
pub mod conformance;
mod entry;
mod follow;
mod handles;
mod heal;
mod hints;
mod identity;
mod listen;
mod log;
mod memory;
mod node;
mod open;
mod others;
mod revocable;
mod table;
mod view;
mod watch;

pub use self::entry::Line;
#[cfg(any(test, fuzzing))]
pub(crate) use self::entry::reads_what_it_writes;
pub(crate) use self::follow::follow;
pub use self::hints::Hints;
pub use self::log::{Log, Page};
pub use self::memory::MemoryLog;
pub use self::node::Ledger;
pub(crate) use self::node::Terms;
pub use self::open::open;
pub(crate) use self::open::schemes;
pub(crate) use self::others::{EndedOthers, Own};
pub(crate) use self::revocable::Revocable;

//! The request guards: [`Session`], [`Current`], [`Exclusive`], [`ReadOnly`] and [`Realms`].

mod current;
mod ended;
mod exclusive;
mod others;
mod read_only;
mod realms;
pub(crate) mod session;

pub use self::current::Current;
pub use self::exclusive::Exclusive;
pub use self::others::{Ended, Other};
pub use self::read_only::ReadOnly;
pub use self::realms::Realms;
pub use self::session::Session;

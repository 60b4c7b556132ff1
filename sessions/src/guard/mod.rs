//! The request guards: [`Session`], [`Exclusive`] and [`Realms`].

mod exclusive;
mod read_only;
mod realms;
pub(crate) mod session;

pub use self::exclusive::Exclusive;
pub use self::read_only::ReadOnly;
pub use self::realms::Realms;
pub use self::session::{Ended, Other, Session};

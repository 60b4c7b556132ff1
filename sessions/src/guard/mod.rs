//! The request guards: [`Session`], [`Exclusive`] and [`Realms`].

mod exclusive;
mod realms;
mod session;

pub use self::exclusive::Exclusive;
pub use self::realms::Realms;
pub use self::session::Session;

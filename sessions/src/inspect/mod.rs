//! Looking into a session: [`Session::inspect`](crate::Session::inspect) in a request, and an [`Inspector`] for
//! a cookie outside of the app.

mod details;
mod inspector;

pub use self::details::{Details, Wire};
pub use self::inspector::{Inspection, Inspector, KeyPeriod, OpenedRecord};
pub use crate::cookie::format::MAX_LINE_BYTES;
pub use crate::cookie::seal::{NONCE_BYTES, TAG_BYTES};
pub use crate::error::Invalid;

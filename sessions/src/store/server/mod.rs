//! What the server stores share.

#[cfg(any(feature = "sql", feature = "redis", feature = "mongodb"))]
pub(super) mod detached;
#[cfg(any(feature = "sql", feature = "redis", feature = "mongodb"))]
pub(super) mod lease;
pub(super) mod lock;
#[cfg(any(feature = "sql", feature = "redis", feature = "mongodb"))]
pub(super) mod renewals;
pub(super) mod row;

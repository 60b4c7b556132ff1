//! The clauses by subject, one function each.

pub(super) mod crowds;
pub(super) mod data;
pub(super) mod dead;
pub(super) mod ending;
pub(super) mod everyone;
pub(super) mod expiry;
pub(super) mod listing;
pub(super) mod locks;
pub(super) mod renewing;
pub(super) mod repeating;
pub(super) mod running;
pub(super) mod writing;

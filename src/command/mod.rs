//! The commands, one file each.

pub(super) mod account;

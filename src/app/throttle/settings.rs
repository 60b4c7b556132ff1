//! The table `[default.throttle]`. Its defaults are in `Rocket.toml`.

use std::time::Duration;

use rocket::figment::Figment;
use serde::Deserialize;

use super::bucket::{Bucket, Excess};
use crate::app::setting;

/// The limits of wrong passwords.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Limits {
    /// Of one address for one name.
    pub(super) pair: Bucket,
    /// Of one address for all names; new accounts count too.
    pub(super) address: Bucket,
    /// Of all addresses for one name.
    pub(super) account: Bucket,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    enabled: bool,
    #[serde(deserialize_with = "setting::count")]
    failures: u32,
    #[serde(deserialize_with = "setting::duration")]
    refill: Duration,
    #[serde(deserialize_with = "setting::count")]
    address_failures: u32,
    #[serde(deserialize_with = "setting::duration")]
    address_refill: Duration,
    #[serde(deserialize_with = "setting::count")]
    account_failures: u32,
    #[serde(deserialize_with = "setting::duration")]
    account_refill: Duration,
    #[serde(deserialize_with = "setting::delay")]
    account_delay: Duration,
}

/// Reads the limits; `None` where they are turned off.
pub(in crate::app) fn read(figment: &Figment) -> Result<Option<Limits>, String> {
    let table: Table = setting::table(figment, "throttle")?;
    let bucket = |failures, refill, excess| Bucket { failures, refill, excess };
    let limits = Limits {
        pair: bucket(table.failures, table.refill, Excess::Refused),
        address: bucket(table.address_failures, table.address_refill, Excess::Refused),
        account: bucket(table.account_failures, table.account_refill, Excess::Delayed(table.account_delay)),
    };
    Ok(table.enabled.then_some(limits))
}

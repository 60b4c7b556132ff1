//! The setting `lab.enabled`: whether this server has the pages that start experiments.

use std::net::IpAddr;

use rocket::figment::Figment;
use rocket::figment::value::Value;
use serde::Deserialize;

use super::setting;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    enabled: Option<bool>,
    /// Read by the lab itself.
    #[serde(rename = "stores")]
    _stores: Option<Value>,
}

/// Whether the lab's pages are on. Anyone who sees them can make the server work, so without the setting they are on only
/// where nobody else does: on a loopback address, with no proxy that passes on requests of others (`ip_header`).
pub(super) fn read(figment: &Figment) -> Result<bool, String> {
    let table = if figment.contains("lab") { setting::table(figment, "lab")? } else { Table::default() };
    let is_loopback = || figment.extract_inner("address").is_ok_and(|address: IpAddr| address.is_loopback());
    let has_proxy = || figment.extract_inner("ip_header").is_ok_and(|header: String| !header.is_empty());
    let enabled = table.enabled.unwrap_or_else(|| is_loopback() && !has_proxy());
    Ok(enabled && cfg!(feature = "lab"))
}

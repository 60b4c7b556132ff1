//! The app, with its own clock and data directory, through Rocket's local client.

mod accounts;
mod compare;
mod cookie;
mod feedback;
#[cfg(feature = "lab")]
mod lab;
#[cfg(feature = "lab")]
mod lab_flawed_store;
#[cfg(feature = "lab")]
mod lab_flaws;
#[cfg(feature = "lab")]
mod lab_ledger_flaws;
#[cfg(feature = "lab")]
mod lab_setting;
mod late;
mod live;
mod migrations;
mod outage;
mod recent;
mod sessions;
mod stale;
mod support;
mod throttle;
mod throttle_again;

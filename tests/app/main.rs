//! The app, with its own clock and data directory, through Rocket's local client.

mod accounts;
mod sessions;
mod support;

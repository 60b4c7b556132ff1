//! The app in real browsers: Chromium, driven through chromedriver, each with a jar of its own.
//!
//! `scripts/test` installs both. `CHROMEDRIVER` names another driver.

mod browser;
mod screenshots;
#[path = "../http/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the stores")]
mod server;
mod walk;

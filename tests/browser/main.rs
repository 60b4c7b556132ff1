//! The app in real browsers: Chromium, driven through chromedriver, each with a jar of its own.
//!
//! `scripts/test` installs both. `CHROMEDRIVER` names another driver.

mod album;
mod browser;
mod late;
mod newcomers;
mod screenshots;
mod states;
mod walk;

//! The web app that shows [`sealed_sessions`] at work, and the lab that compares its stores.
//!
//! - [`app`] is the app: visits, accounts, profile and a look into the cookie.
//! - [`terminal`] prints for the command line.
#![cfg_attr(
    feature = "lab",
    doc = "- [`lab`] runs the same experiments on every store, and reports what each one costs under load."
)]

pub mod app;

#[cfg(feature = "lab")]
pub mod lab;

pub mod terminal;

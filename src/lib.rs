//! Sealed Sessions: sessions for [Rocket](https://rocket.rs).
//!
//! - [`session`] is the library: a session is a typed value behind a request guard. By default one
//!   encrypted cookie holds all of it; a server store is a choice of [`session::Store`].
#![cfg_attr(
    feature = "app",
    doc = "- [`app`] is the web app that shows it at work: visits, accounts, profile and a look into the cookie."
)]
#![cfg_attr(
    feature = "lab",
    doc = "- [`lab`] runs the same experiments on every store, and says which hold there."
)]
#![cfg_attr(feature = "lab", doc = "- [`load`] drives every store and reports what each one costs.")]

pub mod session;

#[cfg(feature = "app")]
pub mod app;

#[cfg(feature = "lab")]
pub mod lab;

#[cfg(feature = "lab")]
pub mod load;

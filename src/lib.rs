//! Sealed Sessions: sessions for [Rocket](https://rocket.rs).
//!
//! - [`session`] is the library: a session is a typed value behind a request guard. By default one
//!   encrypted cookie holds all of it; a server store is a choice of [`session::Store`].

pub mod session;

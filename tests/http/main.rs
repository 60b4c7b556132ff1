//! The real program over a real socket: started, spoken to, restarted and fed with bad input.

mod bad_cookies;
mod bad_forms;
mod client;
mod csrf;
mod pages;
#[allow(dead_code, reason = "shared with the tests of the stores")]
mod server;
mod walk;

//! The real program over a real socket: started, asked, restarted and fed with bad input.

mod admin;
mod attacks;
mod bad_cookies;
mod bad_forms;
mod csrf;
mod database;
mod ends;
mod headers;
mod key_walk;
mod log;
mod log_walk;
mod nginx;
mod pages;
mod queue;
mod routes;
mod sign_in;
mod throttle;
mod tls;
mod twice;
mod walk;

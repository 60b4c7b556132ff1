//! The rules of DESIGN, each by its number, on the cookie store and on a scripted one.

mod formats;
mod hostile;
mod late;
mod launch;
mod log;
mod realms;
mod rules;
mod scripted;
mod stores;
mod support;

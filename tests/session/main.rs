//! The rules of DESIGN, each by its number, on the cookie store and on a scripted one.

mod rules;
mod support;

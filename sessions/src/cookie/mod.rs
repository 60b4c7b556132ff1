//! The cookie: its name and attributes, its seal, and the ticket inside.

mod form_token;
pub(crate) mod format;
pub(crate) mod key;
pub(crate) mod keyring;
pub(crate) mod period;
mod period_keys;
#[cfg(test)]
mod period_properties;
#[cfg(test)]
mod properties;
pub(crate) mod request_cookies;
pub(crate) mod seal;
pub(crate) mod settings;
pub(crate) mod ticket;
mod withheld;

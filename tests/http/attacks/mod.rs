//! What attackers try, a list for each part of a request: each input is sent to the real program, where nothing may be
//! accepted, fail, be reflected or change.

mod cookies;
mod forms;
mod headers;
mod methods;
mod names;
mod parameters;
mod paths;
mod race;
mod reads;
mod records;
mod site;
mod tokens;

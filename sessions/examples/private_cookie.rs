//! The visit counter of `visits.rs` by hand, with Rocket's own private cookies and nothing of this library.
//!
//! `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example private_cookie`
//!
//! The seal is good: AES-256-GCM, bound to the cookie's name. What is missing is the session around it,
//! by Rocket 0.5.2 (`cookies.rs`, `server.rs`, `rkt.rs`) and cookie 0.18:
//!
//! - **Nothing expires at the server.** `Expires`, one week ahead by default, asks the browser and is not
//!   sealed: a copied cookie opens for as long as the key is in use. Each write starts the week again, so
//!   nothing ever ends a busy session; reading alone never prolongs one.
//! - **One key.** A new `secret_key` ends every session at once: there is no list of keys that still open.
//! - **No size check.** Browsers ignore a cookie whose name and value take more than 4096 bytes: the server
//!   says 200 and later gets the old one. `/` and `=` go out as `%2F` and `%3D`, which adds to the size.
//! - **No id.** There is nothing to renew at login, to name in a log or to revoke by. `remove_private`
//!   clears this browser; a copy goes on. (With this library's cookie store it goes on too, but only until
//!   the limits that are sealed in it.)
//! - **Lost updates.** Of two parallel requests the response that comes last wins. (The cookie
//!   store is no better; a server store sees the conflict.) Within a request, `get_private` does not see what
//!   `add_private` has set: that is `get_pending`.
//! - **An error outcome drops it.** What the handler added or removed is forgotten before the catcher
//!   runs, a logout too.
//! - **No `Cache-Control: no-store`.** Whether a cache may keep the page is left to you.
//! - **Attributes.** `SameSite=Strict`, so anyone who follows a link from elsewhere seems signed out. `Secure`
//!   only when Rocket itself serves TLS, so not behind a proxy. A `__Host-` name needs `secure(true)` by
//!   hand, also to be removed: browsers ignore a removal of it without.
//! - **No reason.** Missing, forged and foreign are all `None`, and what does not open is not cleared. Of
//!   two cookies with one name only the last is read, even if only the first opens.
//! - **The key.** The debug profile makes one up at each start; others refuse to start without; one that is
//!   published in Rocket's source is only warned about.
//! - **Text, no type.** Parsing, and fields that come with a new release, are yours.

use rocket::figment::{Figment, providers::Env};
use rocket::http::CookieJar;
use rocket::{Config, get, launch, routes};

#[get("/visits")]
fn visits(cookies: &CookieJar<'_>) -> String {
    let before = cookies.get_private("visits").and_then(|cookie| cookie.value().parse::<u64>().ok());
    let visits = before.unwrap_or(0).saturating_add(1).to_string();
    cookies.add_private(("visits", visits.clone()));
    visits
}

#[launch]
fn rocket() -> _ {
    // Only variables, since the Rocket.toml of this package is the web app's.
    let figment = Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global());
    rocket::custom(figment).mount("/", routes![visits])
}

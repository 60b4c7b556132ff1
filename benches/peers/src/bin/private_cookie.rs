//! The counter by hand, in Rocket's own private cookie. `STORE` changes nothing.
//!
//! What is missing then is listed in `sessions/examples/private_cookie.rs`: nothing expires at the server.

use rocket::http::CookieJar;
use rocket::{get, launch, routes};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

#[get("/visits")]
fn visits(cookies: &CookieJar<'_>) -> String {
    let views = (views(cookies) + 1).to_string();
    cookies.add_private(("visits", views.clone()));
    views
}

#[get("/read")]
fn read(cookies: &CookieJar<'_>) -> String {
    views(cookies).to_string()
}

fn views(cookies: &CookieJar<'_>) -> u64 {
    cookies.get_private("visits").and_then(|cookie| cookie.value().parse().ok()).unwrap_or(0)
}

#[launch]
fn rocket() -> _ {
    rocket::build().mount("/", routes![bare, visits, read])
}

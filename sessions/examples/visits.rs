//! The ten-line use of the library, and what the speed of sessions is measured on.
//!
//! `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example visits`

use rocket::figment::Figment;
use rocket::figment::providers::Env;
use rocket::{Config, get, launch, routes};
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    views: u64,
}

impl SessionData for Visitor {}

#[get("/bare")]
fn bare() -> &'static str {
    "0"
}

#[get("/visits")]
fn visits(session: Session<'_, Visitor>) -> String {
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[get("/read")]
fn read(session: Session<'_, Visitor>) -> String {
    session.get().views.to_string()
}

#[launch]
fn rocket() -> _ {
    // Only variables, since the Rocket.toml of this package is the web app's.
    let figment = Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global());
    rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![bare, visits, read])
}

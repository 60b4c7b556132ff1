//! The counter of both READMEs, which hold every line below; `tests/docs.rs` compares them.
//!
//! `ROCKET_CONFIG=none ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example counter`
//! (at the top of this repository `Rocket.toml` would configure the web app's realms).

use rocket::{get, launch, routes};
use sealed_sessions::{Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    views: u64,
}

impl SessionData for Visitor {}

#[get("/")]
fn visits(session: Session<'_, Visitor>) -> String {
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[launch]
fn rocket() -> _ {
    rocket::build().attach(Sessions::<Visitor>::fairing()).mount("/", routes![visits])
}

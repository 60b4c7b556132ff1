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

#[cfg(test)]
mod tests {
    use rocket::local::blocking::Client;
    use sealed_sessions::testing;

    #[test]
    fn the_second_visit_counts_two() {
        let browser = Client::tracked(super::rocket().configure(testing::figment())).unwrap();
        assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "1");
        assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "2");
    }
}

//! The program of `docs/from-tower-sessions.md`, which holds every line below; `tests/docs.rs` compares them.
//!
//! `ROCKET_CONFIG=none ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example from_tower_sessions`
//! (at the top of this repository `Rocket.toml` would configure the web app's realms).

use std::borrow::Cow;

use rocket::http::Status;
use rocket::outcome::IntoOutcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{get, launch, post, routes};
use sealed_sessions::{Session, SessionData, SessionError, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    counter: usize,
    user_id: Option<String>,
    cart: Option<Cart>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user_id.as_deref().map(Cow::Borrowed)
    }
}

#[launch]
fn rocket() -> _ {
    rocket::build()
        .attach(Sessions::<Visitor>::fairing())
        .mount("/", routes![count, empty_cart, login, logout, others, profile])
}

#[get("/")]
fn count(session: Session<'_, Visitor>) -> String {
    let counter = session.update(|visitor| {
        visitor.counter += 1;
        visitor.counter
    });
    format!("Current count: {counter}")
}

#[post("/cart/empty")]
fn empty_cart(session: Session<'_, Visitor>) -> String {
    let cart = session.update(|visitor| visitor.cart.take());
    format!("{} items are gone", cart.map_or(0, |cart| cart.items.len()))
}

#[post("/login")]
fn login(session: Session<'_, Visitor>) {
    // After the password has been checked:
    session.sign_in(|visitor| visitor.user_id = Some("ada".to_owned()));
}

#[post("/logout")]
fn logout(session: Session<'_, Visitor>) {
    session.destroy();
}

#[get("/others")]
async fn others(session: Session<'_, Visitor>) -> Result<String, Status> {
    Ok(match session.others().await.or(Err(Status::ServiceUnavailable))? {
        Some(others) => format!("You are signed in on {} other devices.", others.len()),
        None => "This store cannot list sessions.".to_owned(),
    })
}

struct User(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<User, SessionError> {
        let session = request.guard::<Session<'_, Visitor>>().await;
        session.and_then(|session| session.get().user_id.clone().map(User).or_forward(Status::Unauthorized))
    }
}

#[get("/profile")]
fn profile(user: User) -> String {
    format!("Hello {}", user.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rocket::http::Status;
    use rocket::local::blocking::Client;
    use sealed_sessions::Sessions;
    use sealed_sessions::testing::{self, ManualClock};
    use time::{Duration, OffsetDateTime};

    #[test]
    fn a_login_ends_after_half_an_hour_without_a_request() {
        let clock = Arc::new(ManualClock::at(OffsetDateTime::UNIX_EPOCH));
        let rocket = super::rocket().configure(testing::figment());
        // Takes the place of the sessions that the app has attached.
        let rocket = rocket.attach(Sessions::<super::Visitor>::fairing().clock(clock.clone()));
        let browser = Client::tracked(rocket).unwrap();
        browser.post("/login").dispatch();
        assert_eq!(browser.get("/profile").dispatch().into_string().unwrap(), "Hello ada");
        clock.advance(Duration::minutes(31));
        assert_eq!(browser.get("/profile").dispatch().status(), Status::Unauthorized);
    }
}

//! The program of `docs/from-private-cookies.md`, which holds every line below; `tests/docs.rs` compares them.
//!
//! `ROCKET_CONFIG=none ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example from_private_cookies`
//! (at the top of this repository `Rocket.toml` would configure the web app's realms).

use std::borrow::Cow;

use rocket::http::{CookieJar, Status};
use rocket::outcome::IntoOutcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{get, launch, post, routes};
use sealed_sessions::{SessionData, SessionError, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    visits: u64,
    user_id: Option<u64>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user_id.map(|id| id.to_string().into())
    }
}

type Session<'r> = sealed_sessions::Session<'r, Visitor>;

#[launch]
fn rocket() -> _ {
    rocket::build().attach(Sessions::<Visitor>::fairing()).mount("/", routes![visits, login, profile, logout])
}

#[get("/")]
fn visits(session: Session<'_>) -> String {
    session.update(|visitor| {
        visitor.visits += 1;
        visitor.visits.to_string()
    })
}

#[post("/login")]
fn login(session: Session<'_>) {
    // After the password has been checked:
    session.sign_in(|visitor| visitor.user_id = Some(7));
}

#[post("/logout")]
fn logout(session: Session<'_>, cookies: &CookieJar<'_>) {
    session.destroy();
    // As long as there may be old cookies.
    cookies.remove_private(OLD_COOKIE);
}

struct User(u64);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<User, SessionError> {
        let session = request.guard::<Session<'_>>().await;
        session.and_then(|session| {
            adopt(&session, request.cookies());
            session.get().user_id.map(User).or_forward(Status::Unauthorized)
        })
    }
}

#[get("/profile")]
fn profile(user: User) -> String {
    format!("Hello, user {}", user.0)
}

const OLD_COOKIE: &str = "user_id";

/// Signs in the user of the old cookie, once.
fn adopt(session: &Session<'_>, cookies: &CookieJar<'_>) {
    let Some(old) = cookies.get_private(OLD_COOKIE) else { return };
    if let Ok(id) = old.value().parse()
        && session.get().user_id.is_none()
    {
        session.sign_in(|visitor| visitor.user_id = Some(id));
    }
    cookies.remove_private(old);
}

#[cfg(test)]
mod tests {
    use rocket::http::Status;
    use rocket::local::blocking::Client;
    use sealed_sessions::testing;

    #[test]
    fn an_old_cookie_becomes_a_session_once() {
        let browser = Client::tracked(super::rocket().configure(testing::figment())).unwrap();
        let profile = || browser.get("/profile").dispatch();
        assert_eq!(profile().status(), Status::Unauthorized);
        let old = browser.get("/profile").private_cookie(("user_id", "7")).dispatch();
        assert_eq!(old.into_string().unwrap(), "Hello, user 7");
        assert!(browser.cookies().get("user_id").is_none());
        assert_eq!(profile().into_string().unwrap(), "Hello, user 7");
        browser.post("/logout").dispatch();
        assert_eq!(profile().status(), Status::Unauthorized);
    }
}

//! The program of `docs/from-express-session.md`, which holds every line below; `tests/docs.rs` compares them.
//!
//! `ROCKET_CONFIG=none ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example express`
//! (at the top of this repository `Rocket.toml` would configure the web app's realms).

use std::borrow::Cow;

use rocket::form::{Form, FromForm};
use rocket::http::Status;
use rocket::outcome::IntoOutcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{Redirect, content::RawHtml};
use rocket::{catch, catchers, get, launch, post, routes, uri};
use sealed_sessions::{Arrival, Session, SessionData, SessionError, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    views: u64,
    user: Option<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

#[launch]
fn rocket() -> _ {
    rocket::build()
        .attach(Sessions::<Visitor>::fairing())
        .mount("/", routes![views, form, login, profile, logout, why])
        .register("/", catchers![not_signed_in])
}

#[get("/")]
fn views(session: Session<'_, Visitor>) -> String {
    let views = session.update(|visitor| {
        visitor.views += 1;
        visitor.views
    });
    format!("views: {views}")
}

#[derive(FromForm)]
struct Login<'r> {
    username: &'r str,
    password: &'r str,
}

#[get("/login")]
fn form() -> RawHtml<&'static str> {
    RawHtml(
        "<form method=post>Name <input name=username> Password <input type=password name=password> <button>Sign in",
    )
}

#[post("/login", data = "<form>")]
fn login(session: Session<'_, Visitor>, form: Form<Login<'_>>) -> Result<Redirect, Status> {
    if !check(form.username, form.password) {
        return Err(Status::Unauthorized);
    }
    session.sign_in(|visitor| visitor.user = Some(form.username.to_owned()));
    Ok(Redirect::to(uri!(profile)))
}

/// A demo, in plain sight: `src/app/passwords.rs` checks argon2id hashes, in a bounded number of threads.
fn check(username: &str, password: &str) -> bool {
    (username, password) == ("ada", "analytical engine")
}

struct User(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<User, SessionError> {
        let session = request.guard::<Session<'_, Visitor>>().await;
        session.and_then(|session| session.get().user.clone().map(User).or_forward(Status::Unauthorized))
    }
}

#[get("/profile")]
fn profile(user: User) -> String {
    format!("Hello {}", user.0)
}

#[catch(401)]
fn not_signed_in() -> Redirect {
    Redirect::to(uri!(form))
}

#[post("/logout")]
fn logout(session: Session<'_, Visitor>) -> Redirect {
    session.destroy();
    Redirect::to(uri!(form))
}

#[get("/why")]
fn why(session: Session<'_, Visitor>) -> &'static str {
    match session.arrival() {
        Arrival::Resumed => "This is your session.",
        Arrival::Absent => "Your browser sent no session.",
        Arrival::Expired(_) => "Your session has ended: it was idle for too long, or too old.",
        Arrival::Revoked => "Your session was ended elsewhere.",
        _ => "What your browser sent is not a session.",
    }
}

//! Login, profile and logout: `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example login`.
//! A demo: one password, in plain sight, and no CSRF tokens. The app in `src/app` has argon2id and tokens.
use rocket::figment::{Figment, providers::Env};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{Redirect, content::RawHtml};
use rocket::{Config, FromForm, form::Form, get, http::Status, outcome::IntoOutcome, post, routes, uri};
use sealed_sessions::{Session, SessionData, SessionError, Sessions};
use serde::{Deserialize, Serialize};

const ADA: (&str, &str) = ("ada", "analytical engine");
#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    user: Option<String>,
}
impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}
struct User(String); // Somebody who is signed in: a route that takes one is closed to everybody else.
#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = SessionError;
    async fn from_request(request: &'r Request<'_>) -> Outcome<User, SessionError> {
        let session = request.guard::<Session<'_, Visitor>>().await;
        session.and_then(|session| session.get().user.clone().map(User).or_forward(Status::Unauthorized))
    }
}

#[derive(FromForm)]
struct Login<'r> {
    name: &'r str,
    password: &'r str,
}
#[get("/login")]
fn form() -> RawHtml<&'static str> {
    RawHtml("<form method=post>Name <input name=name> Password <input type=password name=password><button>Go")
}
#[post("/login", data = "<form>")]
fn login(session: Session<'_, Visitor>, form: Form<Login<'_>>) -> Result<Redirect, Status> {
    let ADA = (form.name, form.password) else { return Err(Status::Unauthorized) };
    // Gives the session a new id, so that one planted before the login is worthless after it.
    session.sign_in(|visitor| visitor.user = Some(form.name.to_owned()));
    Ok(Redirect::to(uri!(profile)))
}
#[get("/profile")]
fn profile(user: User) -> RawHtml<String> {
    let name = rocket::http::RawStr::new(&user.0).html_escape();
    RawHtml(format!("Hello {name}. <form method=post action=/logout><button>Sign out"))
}
#[post("/logout")]
fn logout(session: Session<'_, Visitor>) -> Redirect {
    session.destroy();
    Redirect::to(uri!(form))
}
#[rocket::launch]
fn rocket() -> _ {
    let rocket = rocket::custom(Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global()));
    rocket.attach(Sessions::<Visitor>::fairing()).mount("/", routes![form, login, profile, logout])
}

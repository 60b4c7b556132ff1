//! A sign-in of nobody: the session's type does not say who is signed in.

use rocket::local::blocking::Client;
use rocket::{get, routes};
use sealed_sessions::{Session, SessionData, Sessions, testing};
use serde::{Deserialize, Serialize};

use crate::log;

#[derive(Default, Clone, Serialize, Deserialize)]
struct Nameless {
    user: Option<String>,
}

impl SessionData for Nameless {}

#[get("/login")]
fn login(session: Session<'_, Nameless>) {
    session.sign_in(|data| data.user = Some("ada".into()));
}

#[test]
fn a_sign_in_that_leaves_no_subject_is_warned_of() {
    log::install();
    let rocket = rocket::custom(testing::figment()).attach(Sessions::<Nameless>::fairing());
    let browser = Client::tracked(rocket.mount("/", routes![login])).unwrap();
    log::lines();
    for _ in 0..3 {
        browser.get("/login").dispatch();
    }
    let lines = log::lines();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(
        line.starts_with("WARN sessions of \"/\": 1 sign-ins left the session without a subject"),
        "{line}"
    );
    assert!(line.contains("Nameless::subject"), "{line}");
}

//! A page that counts for as long as its session lives, by server-sent events:
//! `ROCKET_SECRET_KEY=$(openssl rand -base64 32) cargo run -p sealed-sessions --example events`.
//!
//! Sign in in one tab, and out in another: with `ROCKET_SESSION='{revocation="memory"}'` the first one knows at once.
use std::pin::pin;
use std::time::Duration;

use rocket::figment::{Figment, providers::Env};
use rocket::response::stream::{Event, EventStream};
use rocket::response::{Redirect, content::RawHtml};
use rocket::tokio::{select, time::interval};
use rocket::{Config, get, http::ContentType, post, routes, uri};
use sealed_sessions::{ReadOnly, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
struct Visitor {
    user: Option<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }
}

/// Counts the seconds until the session ends, and says how it did. The browser comes again by itself when the
/// connection is cut, so this takes [`ReadOnly`]: it must not keep a session alive that nobody uses.
#[get("/events")]
fn events<'r>(session: ReadOnly<'r, Visitor>) -> EventStream![Event + 'r] {
    EventStream! {
        let mut ended = pin!(session.ended());
        let mut seconds = interval(Duration::from_secs(1));
        for second in 0.. {
            let end = select! {
                end = &mut ended => Some(end),
                _ = seconds.tick() => None,
            };
            match end {
                None => yield Event::data(format!("alive for {second} seconds")),
                Some(Ok(end)) => return yield Event::data(format!("{end:?}")).event("ended"),
                Some(Err(error)) => return yield Event::data(error.to_string()).event("ended"),
            }
        }
    }
}

#[get("/")]
fn page(session: Session<'_, Visitor>) -> RawHtml<&'static str> {
    RawHtml(match session.get().user {
        None => "<form method=post action=/login><button>Sign in as Ada</button></form>",
        Some(_) => {
            "<p id=line>…<form method=post action=/logout><button>Sign out</button></form><script src=/events.js></script>"
        }
    })
}

#[get("/events.js")]
fn script() -> (ContentType, &'static str) {
    let script = "const source = new EventSource('/events');
        source.onmessage = (event) => { line.textContent = event.data; };
        source.addEventListener('ended', (event) => { line.textContent = event.data; source.close(); });";
    (ContentType::JavaScript, script)
}

/// A demo: no password, and no form token.
#[post("/login")]
fn login(session: Session<'_, Visitor>) -> Redirect {
    session.sign_in(|visitor| visitor.user = Some("ada".to_owned()));
    Redirect::to(uri!(page))
}

#[post("/logout")]
fn logout(session: Session<'_, Visitor>) -> Redirect {
    session.destroy();
    Redirect::to(uri!(page))
}

#[rocket::launch]
fn rocket() -> _ {
    let rocket = rocket::custom(Figment::from(Config::default()).merge(Env::prefixed("ROCKET_").global()));
    let routes = routes![page, events, script, login, logout];
    rocket.attach(Sessions::<Visitor>::fairing()).mount("/", routes)
}

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
use sealed_sessions::{End, ReadOnly, Session, SessionData, Sessions, Timeout};
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

/// Counts the seconds until the session ends. A browser reconnects by itself, so this takes [`ReadOnly`]: it must not
/// keep a session alive that nobody uses.
#[get("/events")]
fn events<'r>(session: ReadOnly<'r, Visitor>) -> EventStream![Event + 'r] {
    EventStream! {
        if session.get().user.is_none() {
            return yield ended();
        }
        let mut ending = pin!(session.ended());
        let mut seconds = interval(Duration::from_secs(1));
        for second in 0.. {
            let end = select! {
                end = &mut ending => Some(end),
                _ = seconds.tick() => None,
            };
            match end {
                None => yield Event::data(format!("alive for {second} seconds")),
                Some(Ok(End::Revoked | End::Expired(Timeout::Absolute))) => return yield ended(),
                // The session may go on: the browser reconnects, with the cookie that it has by then.
                Some(_) => return,
            }
        }
    }
}

fn ended() -> Event {
    Event::data("Your session has ended.").event("ended")
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
    let script = "function listen() {
        const source = new EventSource('/events');
        source.onmessage = (event) => { line.textContent = event.data; };
        source.addEventListener('ended', (event) => { line.textContent = event.data; source.close(); });
        // A browser reconnects by itself after a lost connection, but not after an error page.
        source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000); };
    }
    listen();";
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rocket::local::blocking::Client;
    use sealed_sessions::testing::{self, ManualClock};
    use time::{Duration, OffsetDateTime};

    use super::*;

    /// What a stream says that began when somebody was signed in, read after `happens`.
    fn stream(revocation: &str, happens: impl FnOnce(&Client, &ManualClock)) -> String {
        let clock = Arc::new(ManualClock::at(OffsetDateTime::UNIX_EPOCH));
        let figment = testing::figment().merge(("session.revocation", revocation));
        let sessions = Sessions::<Visitor>::fairing().clock(clock.clone());
        let browser = Client::tracked(rocket().configure(figment).attach(sessions)).unwrap();
        browser.post("/login").dispatch();
        let stream = browser.get("/events").dispatch();
        happens(&browser, &clock);
        stream.into_string().unwrap()
    }

    #[test]
    fn a_logout_ends_the_stream_for_good() {
        let said = stream("memory", |browser, _| drop(browser.post("/logout").dispatch()));
        assert!(said.contains("event:ended"), "{said}");
    }

    #[test]
    fn after_a_sign_in_in_another_tab_the_browser_may_reconnect() {
        let said = stream("memory", |browser, _| drop(browser.post("/login").dispatch()));
        assert!(!said.contains("event:ended"), "{said}");
    }

    #[test]
    fn when_the_cookie_of_the_stream_has_been_idle_for_too_long_the_browser_may_reconnect() {
        let said = stream("none", |_, clock| clock.advance(Duration::minutes(31)));
        assert!(!said.contains("event:ended"), "{said}");
    }

    #[test]
    fn a_visitor_who_is_not_signed_in_is_told_at_once() {
        let browser = Client::tracked(rocket().configure(testing::figment())).unwrap();
        let said = browser.get("/events").dispatch().into_string().unwrap();
        assert!(said.contains("event:ended"), "{said}");
    }
}

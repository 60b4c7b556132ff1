//! The site on a clock that a test moves, and what its browsers do.

use std::sync::Arc;

use rocket::http::Cookie;
#[cfg(feature = "memory")]
use rocket::http::Header;
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Rocket};
use sealed_sessions::Sessions;
#[cfg(feature = "memory")]
use sealed_sessions::store::Id;
use sealed_sessions::store::Store;
use sealed_sessions::testing::ManualClock;
use time::{Duration, OffsetDateTime};

use crate::ear::Ear;
use crate::{log, site};

/// The name of the session's cookie unless a test sets another.
pub const COOKIE: &str = "__Host-Http-session";

pub struct App {
    pub clock: Arc<ManualClock>,
    settings: String,
    stores: Vec<(String, Arc<dyn Store>)>,
    ear: Option<Ear>,
}

impl App {
    pub fn new(settings: &str) -> App {
        log::install();
        let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        App {
            clock: Arc::new(ManualClock::at(start)),
            settings: settings.into(),
            stores: Vec::new(),
            ear: None,
        }
    }

    pub fn store(mut self, name: &str, store: Arc<dyn Store>) -> App {
        self.stores.push((name.into(), store));
        self
    }

    pub fn listener(self, ear: &Ear) -> App {
        App { ear: Some(ear.clone()), ..self }
    }

    pub fn rocket(&self) -> Rocket<Build> {
        let mut sessions = Sessions::fairing().clock(self.clock.clone());
        for (name, store) in &self.stores {
            sessions = sessions.store(name, store.clone());
        }
        if let Some(ear) = &self.ear {
            sessions = sessions.on_event(ear.clone());
        }
        site::rocket(&self.settings, sessions)
    }

    pub fn browser(&self) -> Client {
        Client::tracked(self.rocket()).unwrap()
    }

    pub fn advance(&self, step: Duration) {
        self.clock.advance(step);
    }
}

pub fn get(browser: &Client, path: &str) -> String {
    browser.get(path.to_owned()).dispatch().into_string().unwrap_or_default()
}

/// The cookie that the browser holds.
pub fn cookie(browser: &Client) -> Option<Cookie<'static>> {
    browser.cookies().get(COOKIE).cloned()
}

pub fn set_cookies(response: &LocalResponse<'_>) -> Vec<String> {
    response.headers().get("Set-Cookie").map(str::to_owned).collect()
}

/// A request with this cookie, whatever the browser has been given since.
#[cfg(feature = "memory")]
pub fn with<'c>(browser: &'c Client, path: &str, cookie: &Cookie<'_>) -> LocalResponse<'c> {
    let header = format!("{}={}", cookie.name(), cookie.value());
    browser.get(path.to_owned()).header(Header::new("Cookie", header)).dispatch()
}

/// The `Cookie` header of a session in a server store.
#[cfg(feature = "memory")]
pub fn cookie_of(key: &str, id: &Id) -> String {
    format!("{COOKIE}={}", seal(key, COOKIE, &id.to_text()))
}

/// `text` as a private cookie of this name, which takes the key.
pub fn seal(key: &str, name: &str, text: &str) -> String {
    let key = sealed_sessions::keys::parse_key(key).unwrap();
    let mut jar = cookie::CookieJar::new();
    jar.private_mut(&key).add(Cookie::new(name.to_owned(), text.to_owned()));
    jar.get(name).unwrap().value().to_owned()
}

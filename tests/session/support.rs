//! An app with sessions, its clock and its browsers.

use std::borrow::Cow;
use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::http::{Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::{Build, Rocket, catch, catchers, get, routes};
use sealed_sessions::session::{ManualClock, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

pub const KEY: &str = "c2VhbGVkIHNlc3Npb25zOiBhIGtleSBmb3IgdGVzdHM=";

#[derive(Default, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visitor {
    pub views: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed)
    }
}

pub type Visit<'r> = Session<'r, Visitor>;

#[get("/bare")]
fn bare() -> &'static str {
    "bare"
}

#[get("/visits")]
fn visits(session: Visit<'_>) -> String {
    session.update(|visitor| {
        visitor.views += 1;
        visitor.views.to_string()
    })
}

#[get("/read")]
fn read(session: Visit<'_>) -> String {
    format!("{} {:?}", session.get().views, session.arrival())
}

#[get("/note/<bytes>")]
fn note(session: Visit<'_>, bytes: usize) {
    let letters = (b'a'..=b'z').cycle().take(bytes).map(char::from).collect();
    session.update(|visitor| visitor.note = letters);
}

#[get("/login/<user>?<remember>")]
fn login(session: Visit<'_>, user: String, remember: bool) {
    session.renew();
    session.update(|visitor| visitor.user = Some(user));
    if remember {
        session.remember();
    }
}

#[get("/renew")]
fn renew(session: Visit<'_>) {
    session.renew();
}

#[get("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

#[get("/logout/fails")]
fn logout_fails(session: Visit<'_>) -> Status {
    session.update(|visitor| visitor.views += 1);
    session.destroy();
    Status::InternalServerError
}

#[get("/visits/fails")]
fn visits_fails(session: Visit<'_>) -> Status {
    session.update(|visitor| visitor.views += 1);
    Status::BadGateway
}

#[catch(default)]
fn page(status: Status, _: &rocket::Request<'_>) -> String {
    format!("our page for {}", status.code)
}

pub struct App {
    pub clock: Arc<ManualClock>,
    settings: String,
}

impl App {
    pub fn new(settings: &str) -> App {
        let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        App { clock: Arc::new(ManualClock::at(start)), settings: settings.into() }
    }

    pub fn figment(settings: &str) -> Figment {
        let config =
            rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
        Figment::from(config).merge(("secret_key", KEY)).merge(Toml::string(settings).nested())
    }

    pub fn rocket(&self) -> Rocket<Build> {
        let sessions = Sessions::<Visitor>::fairing().clock(self.clock.clone());
        let routes = routes![bare, visits, read, note, login, renew, logout, logout_fails, visits_fails];
        rocket::custom(Self::figment(&self.settings))
            .attach(sessions)
            .mount("/", routes)
            .register("/", catchers![page])
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
    browser.cookies().get("__Host-session").cloned()
}

pub fn set_cookies(response: &LocalResponse<'_>) -> Vec<String> {
    response.headers().get("Set-Cookie").map(str::to_owned).collect()
}

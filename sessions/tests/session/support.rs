//! An app with sessions, its clock and its browsers.

use std::borrow::Cow;
use std::sync::Arc;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::http::{Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::tokio::sync::Notify;
use rocket::{Build, Rocket, State, catch, catchers, get, routes, tokio};
use sealed_sessions::{Exclusive, Failure, ManualClock, Session, SessionData, Sessions, Store, failure};
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

#[get("/all")]
fn all(session: Visit<'_>) -> String {
    let Visitor { views, user, note } = &*session.get();
    let seconds = |moment: Option<OffsetDateTime>| moment.map(|moment| moment.unix_timestamp());
    format!(
        "{:?} views={views} user={user:?} note={} opened={} remembered={} signed_in={:?}",
        session.arrival(),
        note.len(),
        seconds(session.opened_at()).unwrap_or_default(),
        session.record().is_some_and(|record| record.remembered),
        seconds(session.signed_in_at()),
    )
}

#[get("/debug")]
fn debug(session: Visit<'_>) -> String {
    format!("{session:?} {:?} {:?}", session.record(), session.record().map(|record| record.id))
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

/// Reads, lets the others go on, and only then writes: what a slow handler does.
#[get("/slow/<field>")]
async fn slow(session: Visit<'_>, field: &str) {
    let views = session.get().views;
    tokio::task::yield_now().await;
    match field {
        "views" => session.update(|visitor| visitor.views = views + 1),
        _ => session.update(|visitor| visitor.note = field.to_owned()),
    }
}

/// What a handler does after a login form, without a change of data.
#[get("/proves")]
fn proves(session: Visit<'_>) {
    session.authenticated();
}

/// Loads, waits for the next request to be answered, and only then goes on.
#[get("/late/<what>")]
async fn late(session: Visit<'_>, what: &str, gate: &State<Arc<Gate>>) -> String {
    gate.loaded.notify_one();
    gate.answered.notified().await;
    if what == "logout" {
        session.destroy();
    }
    session.get().views.to_string()
}

#[derive(Default)]
pub struct Gate {
    /// The late request has its session.
    pub loaded: Notify,
    /// The other one has been answered.
    pub answered: Notify,
}

#[get("/logout/refused")]
fn logout_refused(session: Visit<'_>) -> Status {
    session.destroy();
    Status::BadRequest
}

#[get("/exclusive")]
async fn exclusive(session: Exclusive<'_, Visitor>) -> String {
    let views = session.get().views;
    tokio::task::yield_now().await;
    session.update(|visitor| visitor.views = views + 1);
    session.is_locked().to_string()
}

#[get("/busy")]
fn busy(session: Visit<'_>, again: Visit<'_>) {
    for _ in 0..5 {
        session.update(|visitor| visitor.views += 1);
        again.update(|visitor| visitor.note.push('n'));
    }
}

/// A closure that asks for the session again, and changes it.
#[get("/nested")]
fn nested(session: Visit<'_>) -> String {
    session.update(|visitor| {
        visitor.views = 7;
        session.update(|visitor| visitor.note = format!("views {}", visitor.views));
    });
    format!("{} {}", session.get().views, session.get().note)
}

#[get("/user/<name>")]
fn becomes(session: Visit<'_>, name: String) {
    session.update(|visitor| visitor.user = Some(name));
}

#[catch(default)]
fn page(status: Status, request: &rocket::Request<'_>) -> String {
    match failure(request) {
        Some(Failure::Unavailable { copy_lives_until: Some(until) }) => {
            format!("until {}", until.unix_timestamp())
        }
        _ => format!("our page for {}", status.code),
    }
}

pub struct App {
    pub clock: Arc<ManualClock>,
    pub gate: Arc<Gate>,
    settings: String,
    stores: Vec<(String, Arc<dyn Store>)>,
}

impl App {
    pub fn new(settings: &str) -> App {
        crate::log::install();
        let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let (clock, gate) = (Arc::new(ManualClock::at(start)), Arc::default());
        App { clock, gate, settings: settings.into(), stores: Vec::new() }
    }

    pub fn store(mut self, name: &str, store: Arc<dyn Store>) -> App {
        self.stores.push((name.into(), store));
        self
    }

    pub fn figment(settings: &str) -> Figment {
        let config =
            rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
        Figment::from(config).merge(("secret_key", KEY)).merge(Toml::string(settings).nested())
    }

    pub fn rocket(&self) -> Rocket<Build> {
        let mut sessions = Sessions::<Visitor>::fairing().clock(self.clock.clone());
        for (name, store) in &self.stores {
            sessions = sessions.store(name, store.clone());
        }
        let routes = routes![
            bare,
            visits,
            read,
            all,
            debug,
            note,
            login,
            renew,
            logout,
            logout_fails,
            visits_fails,
            slow,
            exclusive,
            proves,
            late,
            logout_refused,
            busy,
            nested,
            becomes
        ];
        rocket::custom(Self::figment(&self.settings))
            .attach(sessions)
            .manage(Arc::clone(&self.gate))
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

/// `text` as a private cookie of this name: what only the holder of the key can make.
pub fn seal(key: &str, name: &str, text: &str) -> String {
    let key = sealed_sessions::parse_key(key).unwrap();
    let mut jar = cookie::CookieJar::new();
    jar.private_mut(&key).add(Cookie::new(name.to_owned(), text.to_owned()));
    jar.get(name).unwrap().value().to_owned()
}

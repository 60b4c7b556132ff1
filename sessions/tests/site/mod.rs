//! A small app with sessions, which the tests of the rules and those of the stores browse.

use std::borrow::Cow;

use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::http::{Header, Status};
use rocket::{Build, Responder, Rocket, catch, catchers, get, routes, tokio};
use sealed_sessions::{Exclusive, Failure, Session, SessionData, Sessions, failure};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use world::KEY;

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

/// An anonymous session without data, opened at this moment. Only tests of server stores need one.
#[cfg(feature = "memory")]
pub fn record(now: i64) -> sealed_sessions::store::Record {
    sealed_sessions::store::Record {
        id: sealed_sessions::store::Id::random().unwrap(),
        created: now,
        seen: now,
        version: 1,
        data: "{}".to_owned(),
        remembered: false,
        signed_in: None,
        subject: None,
        position: None,
    }
}

/// The settings of Rocket, with `settings` as in `Rocket.toml`.
pub fn figment(settings: &str) -> Figment {
    let config =
        rocket::Config { log_level: rocket::config::LogLevel::Off, ..rocket::Config::debug_default() };
    Figment::from(config).merge(("secret_key", KEY)).merge(Toml::string(settings).nested())
}

/// The app with these settings and sessions.
pub fn rocket(settings: &str, sessions: Sessions<Visitor>) -> Rocket<Build> {
    let reading = routes![bare, visits, read, all, debug, note, busy, nested, slow, exclusive];
    let changing = routes![login, becomes, proves, remember, renew, logout, logout_refused];
    let answering = routes![logout_fails, visits_fails, policy, others, end_others];
    rocket::custom(figment(settings))
        .attach(sessions)
        .mount("/", reading)
        .mount("/", changing)
        .mount("/", answering)
        .register("/", catchers![page])
}

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
        session.inspect().record().is_some_and(|record| record.remembered),
        seconds(session.signed_in_at()),
    )
}

#[get("/debug")]
fn debug(session: Visit<'_>) -> String {
    format!(
        "{session:?} {:?} {:?}",
        session.inspect().record(),
        session.inspect().record().map(|record| record.id)
    )
}

#[get("/note/<bytes>")]
fn note(session: Visit<'_>, bytes: usize) {
    let letters = (b'a'..=b'z').cycle().take(bytes).map(char::from).collect();
    session.update(|visitor| visitor.note = letters);
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

/// Reads, lets other requests run, and only then writes, as a slow handler does.
#[get("/slow/<field>")]
async fn slow(session: Visit<'_>, field: &str) {
    let views = session.get().views;
    tokio::task::yield_now().await;
    match field {
        "views" => session.update(|visitor| visitor.views = views + 1),
        _ => session.update(|visitor| visitor.note = field.to_owned()),
    }
}

/// The same as `/slow/views`, alone.
#[get("/exclusive")]
async fn exclusive(session: Exclusive<'_, Visitor>) -> String {
    let views = session.get().views;
    tokio::task::yield_now().await;
    session.update(|visitor| visitor.views = views + 1);
    session.is_locked().to_string()
}

#[get("/login/<user>?<remember>")]
fn login(session: Visit<'_>, user: String, remember: bool) {
    session.renew();
    session.update(|visitor| visitor.user = Some(user));
    if remember {
        session.remember();
    }
}

/// A change of the subject, and nothing else.
#[get("/user/<name>")]
fn becomes(session: Visit<'_>, name: String) {
    session.update(|visitor| visitor.user = Some(name));
}

/// What a handler does after a login form, without changing any data.
#[get("/proves")]
fn proves(session: Visit<'_>) {
    session.reauthenticated();
}

/// What a handler does where a box "keep me signed in" comes after the login.
#[get("/remember")]
fn remember(session: Visit<'_>) {
    session.remember();
}

#[get("/renew")]
fn renew(session: Visit<'_>) {
    session.renew();
}

#[get("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

#[get("/logout/refused")]
fn logout_refused(session: Visit<'_>) -> Status {
    session.destroy();
    Status::BadRequest
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

/// A text with a `Cache-Control` of its own.
#[derive(Responder)]
pub struct Cached(&'static str, Header<'static>);

#[get("/policy/<policy>?<changes>")]
pub fn policy(session: Visit<'_>, policy: String, changes: bool) -> Cached {
    if changes {
        session.update(|visitor| visitor.views += 1);
    }
    Cached("cached", Header::new("Cache-Control", policy))
}

/// How many other sessions the visitor has.
#[get("/others")]
async fn others(session: Visit<'_>) -> String {
    format!("{:?}", session.others().await.unwrap().map(|others| others.len()))
}

/// How many other sessions of the visitor it has ended.
#[get("/others/end")]
async fn end_others(session: Visit<'_>) -> String {
    format!("{:?}", session.end_others().await.unwrap())
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

//! A site where one signs in by a form, and out.

use rocket::figment::Figment;
use rocket::http::Status;
use rocket::response::stream::TextStream;
use rocket::tokio::sync::Barrier;
use rocket::{Build, FromForm, Rocket, State, get, post, routes};
use sealed_sessions::forms::Protected;
use sealed_sessions::ledger::Ledger;
use sealed_sessions::{Labels, Session, SessionData, Sessions};
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
pub struct Visitor {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    cart: Vec<String>,
    /// What it can be ended by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
}

impl SessionData for Visitor {
    fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.user.as_deref().map(Into::into)
    }

    fn labels(&self) -> Labels<'_> {
        std::array::from_fn(|n| self.labels.get(n).map(Into::into))
    }
}

type Visit<'r> = Session<'r, Visitor>;

/// Where a slow request and its test meet: once the session is loaded, and when it may go on.
pub struct Meeting(pub Barrier);

#[derive(FromForm)]
struct Login {
    user: String,
}

#[get("/form")]
fn form(session: Visit<'_>) -> String {
    session.form_token()
}

#[get("/add/<item>")]
fn add(session: Visit<'_>, item: String) {
    session.update(|visitor| visitor.cart.push(item));
}

#[get("/who")]
fn who(session: Visit<'_>) -> String {
    let visitor = session.get();
    let user = visitor.user.as_deref().unwrap_or("nobody");
    format!("{user} {} {:?}", visitor.cart.join("+"), session.arrival())
}

/// The session's name in logs.
#[get("/handle")]
fn handle(session: Visit<'_>) -> String {
    session.inspect().handle().unwrap_or_default()
}

/// What this node knows of the ledger.
#[get("/ledger")]
fn ledger(session: Visit<'_>) -> String {
    let told = |ledger: &Ledger| format!("{ledger:?} {:?}", ledger.age());
    session.ledger().map(told).unwrap_or_default()
}

#[get("/private")]
fn private(session: Visit<'_>) -> Result<String, Status> {
    session.get().user.clone().ok_or(Status::Unauthorized)
}

/// Says that it has begun, and how the session has ended.
#[get("/live")]
fn live<'r>(session: Visit<'r>) -> TextStream![String + 'r] {
    TextStream! {
        yield "begun ".to_owned();
        yield format!("{:?}", session.ended().await);
    }
}

#[post("/login", data = "<form>")]
fn login(form: Protected<Login>, session: Visit<'_>) {
    let Login { user } = form.into_inner();
    session.sign_in(|visitor| visitor.user = Some(user));
}

/// As an identity provider sends the browser back.
#[get("/callback/<user>")]
fn callback(session: Visit<'_>, user: String) {
    session.sign_in(|visitor| visitor.user = Some(user));
}

/// For a client that is no browser, and may come without any cookie.
#[post("/token/<user>")]
fn token(session: Visit<'_>, user: String) {
    session.sign_in(|visitor| visitor.user = Some(user));
}

#[post("/again")]
fn again(session: Visit<'_>) {
    session.reauthenticated();
}

#[post("/read")]
fn read(session: Visit<'_>) {
    session.get();
}

#[post("/renew")]
fn renew(session: Visit<'_>) {
    session.renew();
}

/// "Keep me signed in", long after the sign-in.
#[post("/remember")]
fn remember(session: Visit<'_>) -> String {
    session.remember();
    session.form_token()
}

#[post("/large")]
fn large(session: Visit<'_>) {
    session.update(|visitor| visitor.cart.push("x".repeat(20_000)));
    session.renew();
}

#[post("/large/<user>")]
fn large_login(session: Visit<'_>, user: String) {
    session.update(|visitor| visitor.cart.push("x".repeat(20_000)));
    session.sign_in(|visitor| visitor.user = Some(user));
}

#[post("/logout")]
fn logout(session: Visit<'_>) {
    session.destroy();
}

/// Somebody else signs in at the same browser.
#[post("/instead/<user>")]
fn instead(session: Visit<'_>, user: String) {
    session.destroy();
    session.sign_in(|visitor| visitor.user = Some(user));
}

#[post("/others/end")]
async fn end_others(session: Visit<'_>) -> Result<String, Status> {
    let ended = session.end_others().await.map_err(|_| Status::ServiceUnavailable)?;
    Ok(format!("{ended:?}"))
}

/// What a link from a letter does for somebody who has forgotten the password, once a new one is kept.
#[post("/reset/<user>")]
async fn reset(session: Visit<'_>, user: String) -> Result<String, Status> {
    session.sign_in(|visitor| visitor.user = Some(user));
    end_others(session).await
}

/// What somebody in charge does about an account.
#[post("/end/<user>")]
async fn end(session: Visit<'_>, user: &str) {
    let ledger = session.ledger().unwrap();
    match user {
        "everyone" => ledger.end_everyone().await.unwrap(),
        _ => ledger.end_subject(user).await.unwrap(),
    };
}

#[get("/label/<label>")]
fn label(session: Visit<'_>, label: String) {
    session.update(|visitor| visitor.labels.push(label));
}

/// What an identity provider asks for.
#[post("/end/label/<label>")]
async fn end_label(session: Visit<'_>, label: &str) {
    session.ledger().unwrap().end_label(label).await.unwrap();
}

/// What an operator does with a handle from the log, on a page of the running app.
#[post("/end/handle/<handle>")]
async fn end_handle(session: Visit<'_>, handle: &str) {
    session.ledger().unwrap().end_by_handle(handle).await.unwrap();
}

#[get("/others")]
async fn others(session: Visit<'_>) -> String {
    format!("{:?}", session.others().await.unwrap().map(|others| others.len()))
}

/// Does something with the session that it loads at once, but goes on only later.
#[post("/slow/<what>")]
async fn slow(session: Visit<'_>, what: &str, meeting: &State<Meeting>) -> Result<(), Status> {
    session.get();
    meeting.0.wait().await;
    meeting.0.wait().await;
    match what {
        "add" => session.update(|visitor| visitor.cart.push("late".into())),
        "renew" => session.renew(),
        "again" => session.reauthenticated(),
        "login" => session.sign_in(|visitor| visitor.user = Some("ada".into())),
        "logout" => session.destroy(),
        "ada, then bob" => {
            session.sign_in(|visitor| visitor.user = Some("ada".into()));
            let _ = session.end_others().await.map_err(|_| Status::ServiceUnavailable)?;
            session.sign_in(|visitor| visitor.user = Some("bob".into()));
        }
        "reset" => {
            session.sign_in(|visitor| visitor.user = Some("ada".into()));
            end_others(session).await?;
            meeting.0.wait().await;
            meeting.0.wait().await;
            end_others(session).await?;
        }
        "proven others" => {
            session.reauthenticated();
            let _ = session.end_others().await.map_err(|_| Status::ServiceUnavailable)?;
        }
        "others" => drop(session.end_others().await.map_err(|_| Status::ServiceUnavailable)?),
        "read" => {}
        _ => return Err(Status::NotFound),
    }
    Ok(())
}

pub fn rocket(figment: Figment, sessions: Sessions<Visitor>) -> Rocket<Build> {
    let reading = routes![form, who, handle, ledger, private, others, read, live];
    let changing =
        routes![add, label, login, callback, token, again, remember, renew, large, large_login, logout, slow];
    let ending = routes![end_others, reset, end, end_label, end_handle, instead];
    rocket::custom(figment)
        .attach(sessions)
        .manage(Meeting(Barrier::new(2)))
        .mount("/", reading)
        .mount("/", changing)
        .mount("/", ending)
}

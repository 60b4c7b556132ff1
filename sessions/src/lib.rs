//! Sessions for [Rocket](https://rocket.rs): a value of your own type behind a request guard, kept between
//! requests in one encrypted cookie, or in a server store: one line in `Rocket.toml` decides.
//!
//! # A counter
//!
//! ```
//! use rocket::figment::Figment;
//! use rocket::{Build, Rocket, get, routes};
//! use sealed_sessions::{Session, SessionData, Sessions};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     views: u64,
//! }
//!
//! impl SessionData for Visitor {}
//!
//! #[get("/")]
//! fn visits(session: Session<'_, Visitor>) -> String {
//!     session.update(|visitor| { visitor.views += 1; visitor.views }).to_string()
//! }
//!
//! fn app(figment: Figment) -> Rocket<Build> {
//!     rocket::custom(figment).attach(Sessions::<Visitor>::fairing()).mount("/", routes![visits])
//! }
//!
//! # let browser = rocket::local::blocking::Client::tracked(app(sealed_sessions::testing::figment())).unwrap();
//! # assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "1");
//! # assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "2");
//! ```
//!
//! `app(rocket::Config::figment())` is the app that you launch. It needs a key, which is Rocket's own setting
//! `secret_key`. This makes one for development, which survives the next start:
//!
//! ```sh
//! printf '[debug]\nsecret_key = "%s"\n' "$(openssl rand -base64 32)" >> Rocket.toml
//! ```
//!
//! On a server set `ROCKET_SECRET_KEY`. Every route writes `Session<'_, Visitor>`, so give it a name:
//! `type Session<'r> = sealed_sessions::Session<'r, Visitor>;`.
//!
//! # Signing in and out
//!
//! [`SessionData::subject`] says whose session it is. [`Session::sign_in`] changes the data and gives the session
//! a new id, so that an id planted before the login is worthless after it. A guard of your own keeps everyone
//! else out of a route:
//!
//! ```
//! use std::borrow::Cow;
//!
//! use rocket::http::Status;
//! use rocket::outcome::IntoOutcome;
//! use rocket::request::{FromRequest, Outcome, Request};
//! use rocket::{get, post};
//! use sealed_sessions::{SessionData, SessionError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     user: Option<String>,
//! }
//!
//! impl SessionData for Visitor {
//!     fn subject(&self) -> Option<Cow<'_, str>> {
//!         self.user.as_deref().map(Cow::Borrowed)
//!     }
//! }
//!
//! type Session<'r> = sealed_sessions::Session<'r, Visitor>;
//!
//! /// Somebody who is signed in.
//! struct User(String);
//!
//! #[rocket::async_trait]
//! impl<'r> FromRequest<'r> for User {
//!     type Error = SessionError;
//!
//!     async fn from_request(request: &'r Request<'_>) -> Outcome<User, SessionError> {
//!         let session = request.guard::<Session<'_>>().await;
//!         session.and_then(|session| session.get().user.clone().map(User).or_forward(Status::Unauthorized))
//!     }
//! }
//!
//! #[post("/login")]
//! fn login(session: Session<'_>) {
//!     // After the password has been checked:
//!     session.sign_in(|visitor| visitor.user = Some("ada".into()));
//! }
//!
//! #[get("/profile")]
//! fn profile(user: User) -> String {
//!     format!("Hello {}", user.0)
//! }
//!
//! #[post("/logout")]
//! fn logout(session: Session<'_>) {
//!     session.destroy();
//! }
//! # use sealed_sessions::{Sessions, testing};
//! # let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing());
//! # let rocket = rocket.mount("/", rocket::routes![login, profile, logout]);
//! # let browser = rocket::local::blocking::Client::tracked(rocket).unwrap();
//! # assert_eq!(browser.get("/profile").dispatch().status(), Status::Unauthorized);
//! # browser.post("/login").dispatch();
//! # assert_eq!(browser.get("/profile").dispatch().into_string().unwrap(), "Hello ada");
//! # browser.post("/logout").dispatch();
//! # assert_eq!(browser.get("/profile").dispatch().status(), Status::Unauthorized);
//! ```
//!
//! A page that was loading during the login comes with the old id: its session is [`Arrival::Superseded`], it changes
//! nothing, and its 401 has the header `Session-State: superseded`. A client that sees it tries again.
//!
//! Before a sensitive change ask for the password again and call [`Session::reauthenticated`];
//! [`Session::signed_in_at`] says how long ago that was.
//!
//! # When a change is kept
//!
//! The session is written once, after your handler, with every response but a 5xx, a panic included: then only
//! [`Session::destroy`] counts. If it cannot be written, the visitor gets your 409, 500 or 503 page instead
//! ([`failure()`] tells its catcher why), and what the handler did elsewhere stays done. `HEAD` runs the GET route and
//! changes the session like it.
//!
//! # When a password changes
//!
//! [`Session::end_others`] ends the other sessions of the subject, in a server store or with a [`ledger`]: the setting
//! `revocation`, with which a logout ends every copy of a cookie too. [`Realms::end_subject`] ends those of another realm.
//! With cookie sessions alone keep a stamp: a number in the account and in the session, which a guard compares. A new
//! password gets a new stamp, and every session with the old one is refused. In a server store compare it once, after
//! the sign-in, whose password may have been checked just before it was changed; a ledger sees that by itself:
//!
//! ```
//! # use sealed_sessions::{Session, SessionData};
//! # use serde::{Deserialize, Serialize};
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     user: Option<String>,
//!     stamp: i64,
//! }
//!
//! impl SessionData for Visitor {
//!     fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
//!         self.user.as_deref().map(Into::into)
//!     }
//! }
//!
//! /// Given the stamp that the accounts' table has for the session's user.
//! fn is_current(session: Session<'_, Visitor>, stamp: i64) -> bool {
//!     session.get().stamp == stamp
//! }
//! ```
//!
//! # Coming back from another site
//!
//! A browser sends no `SameSite=Lax` cookie with a request that another site's page makes, unless a link was followed.
//! So a form that a payment page or an identity provider posts to your site comes without the session. It is
//! [`Arrival::Withheld`]: it keeps nothing and sets no cookie, since that would replace the session that the browser
//! has. Let the provider come back by a redirect (GET), which carries a Lax cookie; or answer the POST with a page that
//! sends itself on to a GET of your own. With `same_site = "Strict"` a link from elsewhere comes without the cookie
//! too, and a first visitor who follows one to a form has to reload it.
//!
//! # Remember me
//!
//! A session ends after half an hour without a request and after twelve hours in any case. A login that asked
//! for it gets the longer timeouts of `remember_idle_timeout` and `remember_absolute_timeout`, if it has a subject:
//!
//! ```
//! # use sealed_sessions::{Session, SessionData};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Default, Clone, Serialize, Deserialize)]
//! # struct Visitor { user: Option<String> }
//! impl SessionData for Visitor {
//!     fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
//!         self.user.as_deref().map(Into::into)
//!     }
//! }
//!
//! fn sign_in(session: Session<'_, Visitor>, name: &str, remember: bool) {
//!     session.sign_in(|visitor| visitor.user = Some(name.to_owned()));
//!     if remember {
//!         session.remember();
//!     }
//! }
//! ```
//!
//! # Flash messages
//!
//! A message for the next page is a field that the page takes out of the session:
//!
//! ```
//! use rocket::response::Redirect;
//! use rocket::{get, post, uri};
//! use sealed_sessions::{Session, SessionData};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     flash: Option<String>,
//! }
//!
//! impl SessionData for Visitor {}
//!
//! #[post("/order")]
//! fn order(session: Session<'_, Visitor>) -> Redirect {
//!     session.update(|visitor| visitor.flash = Some("Thank you for your order.".into()));
//!     Redirect::to(uri!(page))
//! }
//!
//! #[get("/")]
//! fn page(session: Session<'_, Visitor>) -> String {
//!     session.update(|visitor| visitor.flash.take()).unwrap_or_default()
//! }
//! # use sealed_sessions::{Sessions, testing};
//! # let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing());
//! # let browser = rocket::local::blocking::Client::tracked(rocket.mount("/", rocket::routes![order, page])).unwrap();
//! # browser.post("/order").dispatch();
//! # assert_eq!(browser.get("/").dispatch().into_string().unwrap(), "Thank you for your order.");
//! # assert_eq!(browser.get("/").dispatch().into_string().unwrap_or_default(), "");
//! ```
//!
//! # In a template
//!
//! [`Session::get`] returns an `Arc` of your type, which serializes like the type itself if you borrow it:
//!
//! ```
//! # use sealed_sessions::{Session, SessionData};
//! # use serde::{Deserialize, Serialize};
//! # use serde_json::{Value, json};
//! # #[derive(Default, Clone, Serialize, Deserialize)]
//! # struct Visitor { views: u64 }
//! # impl SessionData for Visitor {}
//! fn context(session: Session<'_, Visitor>) -> Value {
//!     let visitor = session.get();
//!     // As rocket_dyn_templates' context! macro: context! { visitor: &*visitor, views: visitor.views }.
//!     json!({ "visitor": &*visitor, "views": visitor.views })
//! }
//! ```
//!
//! # Several parts of an app in one session
//!
//! An app has one type of session. A part of it, or a crate, that keeps something in the session asks for no
//! more than its own field, by the standard traits `AsRef` and `AsMut`: [`SessionData`] shows how, and the example
//! `parts` has two parts with guards of their own.
//!
//! # Responses that go on for long
//!
//! A stream of events must not outlive the logout. [`Session::ended`] waits for the end of the session, by a logout or
//! a timeout, and says which [`End`] it was; race it against what there is to send. The example `events` does so.
//!
//! The session is written before the first byte of the body. In a stream or a WebSocket a change or a `destroy` comes
//! too late: it is not kept, and the log says so. Of a `Session` only `get`, `arrival`, `realm`, `ledger` and `ended`
//! still answer. A [`ReadOnly`] answers as before, unless another guard of the request has used the session.
//!
//! Such a response counts as one use of the session, when it begins. With [`ReadOnly`] it does not: a client that
//! reconnects by itself must not keep a session alive that nobody uses.
//!
//! # What has happened
//!
//! [`Sessions::on_event`] tells a listener of yours what happens to sessions: opened, signed in, ended and by whom, refused
//! and why. The module [`events`] has the whole list. The app's log and its metrics are made from it.
//!
//! # How many sessions somebody may have
//!
//! With `max_sessions = 3` a sign-in ends the oldest of its subject's sessions beyond three; with `beyond_max_sessions
//! = "refuse"` too it is refused itself, by a 409 ([`Failure::TooManySessions`]). It takes a server store. With a
//! [`ledger`] it can be 1. Neither a new id nor [`Session::reauthenticated`] is one more session.
//!
//! # Forms
//!
//! The module [`forms`] keeps other sites from sending your forms: [`Session::form_token`] goes into a hidden field,
//! and [`forms::Protected`] takes the form.
//!
//! # Test your app
//!
//! `Client::tracked(rocket().configure(testing::figment()))` is a browser for your app: [`testing::figment`] is a
//! configuration with a key. [`testing::ManualClock`] is a clock that you move by hand. [`testing`] shows a whole test.
//!
//! # A store of your own
//!
//! Implement [`store::Backend`], six steps on rows of bytes, and name the store where you attach the sessions:
//!
//! ```
//! # use sealed_sessions::{SessionData, Sessions};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Default, Clone, Serialize, Deserialize)]
//! # struct Visitor { views: u64 }
//! # impl SessionData for Visitor {}
//! use std::sync::Arc;
//!
//! use sealed_sessions::store::{Backend, ServerStore};
//!
//! fn sessions(backend: impl Backend) -> Sessions<Visitor> {
//!     let store = ServerStore::new(backend, "__Host-Http-session");
//!     // Chosen by the setting store = "mine".
//!     Sessions::fairing().store("mine", Arc::new(store))
//! }
//! ```
//!
//! The example `own_store` is a whole one in 60 lines, and [`conformance`] checks that a store keeps the contract.
//!
//! # When requests of one session meet
//!
//! A server store merges them field by field: each field of your type that a request changed is as that request left
//! it. Inside a field nothing is merged: if two requests add to one list, the later one's list is kept;
//! [`Exclusive`] makes them take turns. With the cookie store the last response to arrive wins, whole, even one that only
//! read (once a minute). With `notice_stale = true` an older cookie is [`Arrival::Stale`], and [`Current`] refuses it.
//!
//! # Features
//!
//! None is on by default: that is the cookie store alone, on Rust 1.89.
//!
//! | feature | the setting `store` | Rust |
//! |---|---|---|
//! | `memory` | `"memory"` | 1.89 |
//! | `sqlite` | `"sqlite:data/app.db"` | 1.94 |
//! | `postgres` | `"postgres://user:password@host/database"` | 1.94 |
//! | `mysql` | `"mysql://user:password@host/database"`, also MariaDB | 1.94 |
//! | `redis` | `"redis://host:6379"`, also TLS, Cluster and Sentinel | 1.89 |
//! | `mongodb` | `"mongodb://host:27017/database"` | 1.89 |
//! | `stores` | all of them | 1.94 |
//!
//! # How it works
//!
//! ```text
//! browser ──cookie──▶ open (keyring) ──ticket──▶ Store::load ──record──▶ Session<T> ──▶ handler
//! browser ◀─Set-Cookie── seal ◀──ticket── Store::save ◀── commit (fairing, once per request)
//! ```
//!
//! A [`Record`](store::Record) is what a session is; a [`Ticket`](store::Ticket) is what its cookie carries,
//! always sealed. With the [`CookieStore`](store::CookieStore) the ticket is the whole record, with a server
//! store it is the session's id: nothing above the trait [`Store`](store::Store) knows which.
//!
//! Whatever a browser sends becomes a session or an empty one, and [`Session::arrival`] says why. Only a fault of
//! the store is an error: the request gets the app's 503 page, and the session goes on as it was. A wrong setting
//! refuses the launch. All settings are in [the README of the
//! repository](https://git.example/sealed-sessions/blob/main/README.md#configuration).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod commit;
#[cfg(test)]
mod commit_properties;
mod contract;
mod cookie;
mod data;
mod destroy;
mod encoding;
mod ended;
mod engine;
mod error;
mod error_page;
pub mod events;
mod failure;
mod fairing;
pub mod forms;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod guard;
mod health;
pub mod inspect;
pub mod ledger;
mod lifecycle;
mod load;
mod next;
mod occasional;
pub mod operator;
mod origin;
mod plan;
mod realm;
mod record;
mod refusal;
mod request;
mod sign_in;
mod state;
pub mod store;
pub mod testing;
mod told;

pub use self::clock::{Clock, SystemClock};
pub use self::data::{Labels, SessionData};
pub use self::ended::End;
pub use self::error::{Arrival, SessionError, Timeout};
pub use self::error_page::failure;
pub use self::failure::Failure;
pub use self::fairing::Sessions;
pub use self::guard::{Current, Ended, Exclusive, Other, ReadOnly, Realms, Session};
pub use self::health::{Health, Problem};
pub use self::realm::config_error::ConfigError;
pub use self::record::timeouts::{Expires, Timeouts};
pub use self::store::{Powers, conformance};

/// Keys: making, reading and looking for one.
pub mod keys {
    pub use crate::cookie::key::{KeyProblem, generate_key, parse_key};
    pub use crate::realm::settings::has_secret_key;
}

//! Forms that only this session's pages can send (ASVS 5.0, 3.5.1).
//!
//! A page puts [`Session::form_token`](crate::Session::form_token) into a hidden field `csrf_token` of each form; the
//! route takes the form as [`Protected`], which refuses it with 403 without the token, or if another site sent it:
//!
//! ```
//! use rocket::response::content::RawHtml;
//! use rocket::{FromForm, get, post, routes};
//! use sealed_sessions::forms::Protected;
//! use sealed_sessions::{Session, SessionData, Sessions, testing};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Clone, Serialize, Deserialize)]
//! struct Visitor {
//!     name: Option<String>,
//! }
//!
//! impl SessionData for Visitor {}
//!
//! #[derive(FromForm)]
//! struct Name {
//!     name: String,
//! }
//!
//! #[get("/")]
//! fn form(session: Session<'_, Visitor>) -> RawHtml<String> {
//!     let token = session.form_token();
//!     RawHtml(format!("<form method=post><input type=hidden name=csrf_token value={token}><input name=name>"))
//! }
//!
//! #[post("/", data = "<form>")]
//! fn submit(form: Protected<Name>, session: Session<'_, Visitor>) {
//!     session.update(|visitor| visitor.name = Some(form.into_inner().name));
//! }
//!
//! let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing());
//! let browser = rocket::local::blocking::Client::tracked(rocket.mount("/", routes![form, submit])).unwrap();
//! let page = browser.get("/").dispatch().into_string().unwrap();
//! let token = page.split("value=").nth(1).unwrap().split('>').next().unwrap();
//!
//! let post = |body: String| browser.post("/").header(rocket::http::ContentType::Form).body(body).dispatch().status();
//! assert_eq!(post("name=Ada".into()).code, 403);
//! assert_eq!(post(format!("csrf_token={token}&name=Ada")).code, 200);
//! ```
//!
//! The token is derived from the session's id, so it stays the same session's through every change of its data
//! and ends when the id does: at a login, a logout, or when the session expires. A body of another kind brings
//! the token in a header or a field of its own; check it with [`Session::verify`](crate::Session::verify).

mod protected;
mod refusal;

pub use self::protected::{FIELD, Protected};
pub use self::refusal::{Refusal, Refused, refused};

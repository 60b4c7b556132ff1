//! What happens to sessions, told to the app as it happens: for its log, its metrics, its alarms (ASVS 5.0, 16.3).
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use rocket::{get, routes};
//! use sealed_sessions::events::{Event, Kind};
//! use sealed_sessions::{Session, SessionData, Sessions, testing};
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
//! fn visits(session: Session<'_, Visitor>) {
//!     session.update(|visitor| visitor.views += 1);
//! }
//!
//! let heard = Arc::new(Mutex::new(Vec::new()));
//! let listener = {
//!     let heard = Arc::clone(&heard);
//!     move |event: &Event<'_>| {
//!         if event.kind() == Kind::Opened {
//!             heard.lock().unwrap().push((event.realm().to_owned(), event.session()));
//!         }
//!     }
//! };
//! let rocket = rocket::custom(testing::figment())
//!     .attach(Sessions::<Visitor>::fairing().on_event(listener))
//!     .mount("/", routes![visits]);
//! rocket::local::blocking::Client::tracked(rocket).unwrap().get("/").dispatch();
//!
//! let heard = heard.lock().unwrap();
//! let [(realm, Some(handle))] = &heard[..] else { panic!("{heard:?}") };
//! assert_eq!((realm.as_str(), handle.len()), ("/", 16));
//! ```
//!
//! An event names a session by its handle, which is a keyed hash and no credential, and a request by its
//! [`RequestId`]. It holds no id, no cookie, no token and nothing of the session's data but, where it is known, the
//! [subject](crate::SessionData::subject) that your app gave it.
//!
//! Without a listener nothing of this is worked out.

mod event;
mod kind;
mod listener;
mod request_id;
mod teller;

pub use self::event::Event;
pub(crate) use self::event::{About, Name};
pub use self::kind::{By, Call, Kind, Unkept};
pub use self::listener::Listener;
pub use self::request_id::RequestId;
pub(crate) use self::teller::Teller;

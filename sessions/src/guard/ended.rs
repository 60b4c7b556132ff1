//! Waiting for the end of a session, for responses that go on for long.

use super::read_only::ReadOnly;
use super::session::Session;
use crate::data::SessionData;
use crate::ended::{End, ended};
use crate::error::SessionError;

impl<'r, T: SessionData> Session<'r, T> {
    /// Waits until the session has ended, so that a response which goes on for long (a stream of events, say) can stop
    /// with it. Returns at once if there is no session.
    ///
    /// - **A logout, here or elsewhere**, and a session that was ended otherwise: with a [ledger](crate::ledger) as soon
    ///   as this node knows of it, which costs no I/O; in a server store within 5 seconds, since the store is asked at
    ///   that interval, only while a response waits. The cookie store alone knows of no logout.
    /// - **The timeouts**, by the app's [`Clock`](crate::Clock). A long response counts as one use of the session, when
    ///   it begins: it does not keep the session alive. Other requests do, which a server store knows. A session in
    ///   its cookie is known here as this request brought it, so it is [`End::Expired`] one idle timeout after
    ///   that, though the browser may have a newer cookie by then: let it reconnect, as an `EventSource` does by
    ///   itself. Such a request should take [`ReadOnly`], which does not count as a use.
    /// - **The app stops**: [`End::Stopping`], so that it need not wait for this response.
    ///
    /// It can be called in the handler and in the stream that the handler returns. It waits for nothing but this, so
    /// race it against what there is to send.
    ///
    /// ```
    /// # use rocket::get;
    /// # use sealed_sessions::SessionData;
    /// # #[derive(Default, Clone, serde::Serialize, serde::Deserialize)]
    /// # struct Visitor { user: Option<String> }
    /// # impl SessionData for Visitor {}
    /// use rocket::response::stream::{Event, EventStream};
    /// use sealed_sessions::ReadOnly;
    ///
    /// #[get("/events")]
    /// fn events<'r>(session: ReadOnly<'r, Visitor>) -> EventStream![Event + 'r] {
    ///     EventStream! {
    ///         yield Event::data("hello");
    ///         let _ = session.ended().await;
    ///         yield Event::data("good-bye");
    ///     }
    /// }
    /// # use rocket::local::blocking::Client;
    /// # use sealed_sessions::{Sessions, testing};
    /// # let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing());
    /// # let browser = Client::tracked(rocket.mount("/", rocket::routes![events])).unwrap();
    /// # let text = browser.get("/events").dispatch().into_string().unwrap();
    /// # assert!(text.contains("hello") && text.contains("good-bye"), "there is no session: {text}");
    /// ```
    ///
    /// # Errors
    /// When the store has twice not answered, or what this node knows of the ledger is older than
    /// `revocation_max_age`: nobody can tell whether the session goes on, and the response has to stop as well.
    pub fn ended(&self) -> impl Future<Output = Result<End, SessionError>> + Send + use<'r, T> {
        ended(self.realm, self.request)
    }
}

impl<'r, T: SessionData> ReadOnly<'r, T> {
    /// Waits until the session has ended, as [`Session::ended`] does.
    ///
    /// # Errors
    /// As [`Session::ended`].
    pub fn ended(&self) -> impl Future<Output = Result<End, SessionError>> + Send + use<'r, T> {
        ended(self.realm, self.request)
    }
}

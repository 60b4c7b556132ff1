//! What an app keeps in a session.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a session holds: any struct with named fields. It is written as a JSON object.
///
/// Give new fields `#[serde(default)]`, so that sessions of the last release can still be read; data that
/// cannot be read makes the session [`Invalid::Schema`](crate::inspect::Invalid::Schema), with a warning in the
/// log. While two releases run side by side, the older one keeps the fields that it does not know, until the
/// subject changes. A session that equals `T::default()` is not kept.
///
/// What is written is read back before it is kept: a change that does not read back, such as NaN,
/// is refused ([`Failure::Refused`](crate::Failure::Refused)), and a type whose default does not refuses the launch.
///
/// Take `BTreeMap` for a map: a `HashMap` is written in another order each time, and every `update` then counts as
/// a change.
///
/// None of its methods may panic, those of `Serialize` and `Deserialize` included. They also run when the response is
/// written, where Rocket catches no panic: the connection is cut without an answer.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use std::borrow::Cow;
///
/// use sealed_sessions::SessionData;
///
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Visitor {
///     views: u64,
///     #[serde(default)]
///     user: Option<String>,
/// }
///
/// impl SessionData for Visitor {
///     fn subject(&self) -> Option<Cow<'_, str>> {
///         self.user.as_deref().map(Cow::Borrowed)
///     }
/// }
/// ```
///
/// A part of an app, or a crate, that keeps something in the session asks for no more than its own field, by `AsMut`:
///
/// ```
/// use sealed_sessions::{Session, SessionData};
/// use serde::{Deserialize, Serialize};
///
/// // The part:
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Cart(Vec<String>);
///
/// fn add<T: SessionData + AsMut<Cart>>(session: Session<'_, T>, item: &str) {
///     session.update(|data| data.as_mut().0.push(item.to_owned()));
/// }
///
/// // The app:
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Visitor {
///     #[serde(default)]
///     cart: Cart,
///     views: u64,
/// }
///
/// impl SessionData for Visitor {}
///
/// impl AsMut<Cart> for Visitor {
///     fn as_mut(&mut self) -> &mut Cart {
///         &mut self.cart
///     }
/// }
/// ```
pub trait SessionData: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Whose session this is: the account's id, or `None` while the visitor is anonymous. A change of subject
    /// gives the session a new id.
    ///
    /// **Override it as soon as anyone can sign in.** Without a subject a session is anonymous: it cannot be
    /// remembered, listed or limited, and a ledger does not end copies of it.
    fn subject(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// What else the session can be ended by, while it has a subject: an identity provider's `sid`, a tenant, a device.
    /// [`Ledger::end_label`](crate::ledger::Ledger::end_label) ends the sessions with a label, whatever their subject.
    /// Where there is a ledger, the labels are read from the data with each request; they are stored nowhere else.
    ///
    /// A server store finds sessions by their subject alone: there, go through [`Session::others`](crate::Session::others)
    /// and end those that have the label with [`Session::end_other`](crate::Session::end_other).
    ///
    /// An identity provider that signs somebody out tells the app so (OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8):
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use rocket::form::{Form, FromForm};
    /// use rocket::http::Status;
    /// use rocket::post;
    /// use sealed_sessions::{Labels, Session, SessionData};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Default, Clone, Serialize, Deserialize)]
    /// struct Visitor {
    ///     user: Option<String>,
    ///     /// The provider's session, from the claim `sid` of the ID token that signed the user in.
    ///     #[serde(default, skip_serializing_if = "Option::is_none")]
    ///     sid: Option<String>,
    /// }
    ///
    /// impl SessionData for Visitor {
    ///     fn subject(&self) -> Option<Cow<'_, str>> {
    ///         self.user.as_deref().map(Cow::Borrowed)
    ///     }
    ///
    ///     fn labels(&self) -> Labels<'_> {
    ///         [self.sid.as_ref().map(|sid| Cow::Owned(format!("sid:{sid}"))), None, None, None]
    ///     }
    /// }
    ///
    /// #[derive(FromForm)]
    /// struct Logout {
    ///     logout_token: String,
    /// }
    ///
    /// /// The claim `sid` of a logout token: `None` unless it is whole and the provider's own (2.6).
    /// fn sid(token: &str) -> Option<&str> {
    ///     // Your OpenID Connect library does this.
    ///     # token.strip_prefix("checked ")
    /// }
    ///
    /// #[post("/backchannel-logout", data = "<form>")]
    /// async fn backchannel(form: Form<Logout>, session: Session<'_, Visitor>) -> Status {
    ///     // The provider brings no cookie: the session is there for its realm's ledger.
    ///     let (Some(ledger), Some(sid)) = (session.ledger(), sid(&form.logout_token)) else {
    ///         return Status::BadRequest;
    ///     };
    ///     match ledger.end_label(&format!("sid:{sid}")).await {
    ///         Ok(_) => Status::Ok,
    ///         // What 2.8 asks for when a logout failed.
    ///         Err(_) => Status::BadRequest,
    ///     }
    /// }
    /// # use rocket::http::ContentType;
    /// # use sealed_sessions::{Sessions, testing};
    /// # #[rocket::get("/callback")]
    /// # fn callback(session: Session<'_, Visitor>) {
    /// #     session.sign_in(|visitor| *visitor = Visitor { user: Some("ada".into()), sid: Some("08a5".into()) });
    /// # }
    /// # #[rocket::get("/user")]
    /// # fn user(session: Session<'_, Visitor>) -> String { session.get().user.clone().unwrap_or_default() }
    /// # let figment = testing::figment().merge(("session.revocation", "memory"));
    /// # let rocket = rocket::custom(figment).attach(Sessions::<Visitor>::fairing());
    /// # let rocket = rocket.mount("/", rocket::routes![backchannel, callback, user]);
    /// # let browser = rocket::local::blocking::Client::tracked(rocket).unwrap();
    /// # browser.get("/callback").dispatch();
    /// # assert_eq!(browser.get("/user").dispatch().into_string().as_deref(), Some("ada"));
    /// # let logout = |body| browser.post("/backchannel-logout").header(ContentType::Form).body(body).dispatch().status();
    /// # assert_eq!(logout("logout_token=forged"), Status::BadRequest);
    /// # assert_eq!(logout("logout_token=checked 08a5"), Status::Ok);
    /// # assert_eq!(browser.get("/user").dispatch().into_string().unwrap_or_default(), "");
    /// ```
    fn labels(&self) -> Labels<'_> {
        [const { None }; MAX_LABELS]
    }
}

/// How many labels a session has at most.
const MAX_LABELS: usize = 4;

/// The labels of a session: opaque texts, in no order. Begin each with its kind, as in `tenant:7`, so that a
/// tenant is never taken for a device.
pub type Labels<'d> = [Option<Cow<'d, str>>; MAX_LABELS];

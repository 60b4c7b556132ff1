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
pub trait SessionData: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Whose session this is: the account's id, or `None` while the visitor is anonymous. A change of subject
    /// gives the session a new id.
    fn subject(&self) -> Option<Cow<'_, str>> {
        None
    }
}

//! The smallest app that has sessions: what experiments and the load test add their routes to.

use std::sync::Arc;

use rocket::figment::Figment;
use rocket::{Build, Rocket};
use sealed_sessions::store::Store;
use sealed_sessions::{SessionData, Sessions};

/// The name under which the setting `session.store` finds the store.
const STORE: &str = "observed";

/// An app with these sessions in this store.
pub(in crate::lab) fn small_app<T: SessionData>(
    config: Figment,
    cookie: &str,
    key: &str,
    sessions: Sessions<T>,
    store: Arc<dyn Store>,
) -> Rocket<Build> {
    let figment =
        config.merge(("secret_key", key)).merge(("session.cookie", cookie)).merge(("session.store", STORE));
    rocket::custom(figment).attach(sessions.store(STORE, store))
}

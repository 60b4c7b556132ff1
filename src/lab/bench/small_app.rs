//! The smallest app that has sessions: what experiments and the load test add their routes to.

use rocket::figment::Figment;
use rocket::{Build, Rocket};
use sealed_sessions::{SessionData, Sessions};

use super::setting::Kept;

/// The name under which the settings find what keeps the sessions.
const KEPT: &str = "kept";

/// An app with these sessions.
pub(in crate::lab) fn small_app<T: SessionData>(
    config: Figment,
    cookie: &str,
    key: &str,
    sessions: Sessions<T>,
    kept: Kept,
) -> Rocket<Build> {
    let figment = config.merge(("secret_key", key)).merge(("session.cookie", cookie));
    match kept.log {
        Some(log) => {
            rocket::custom(figment.merge(("session.revocation", KEPT))).attach(sessions.log(KEPT, log))
        }
        None => {
            rocket::custom(figment.merge(("session.store", KEPT))).attach(sessions.store(KEPT, kept.store))
        }
    }
}

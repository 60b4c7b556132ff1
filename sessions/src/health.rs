//! Whether the sessions of an app can be used.

use std::fmt;
use std::sync::Arc;

use rocket::{Orbit, Rocket};

use crate::engine::Engine;
use crate::realm::Realm;
use crate::record::id::Id;

/// Finds out whether the stores and the ledgers of an app answer, outside of any request: for a health check.
///
/// ```
/// # use rocket::fairing::AdHoc;
/// # use serde::{Deserialize, Serialize};
/// # use sealed_sessions::{SessionData, Sessions, testing};
/// use sealed_sessions::Health;
///
/// # #[derive(Default, Clone, Serialize, Deserialize)]
/// # struct Visitor {}
/// # impl SessionData for Visitor {}
/// let check = AdHoc::on_liftoff("Check", |rocket| Box::pin(async move {
///     let health = Health::of(rocket).unwrap();
///     assert_eq!(health.problems().await, []);
/// }));
/// # let rocket = rocket::custom(testing::figment()).attach(Sessions::<Visitor>::fairing()).attach(check);
/// # rocket::local::blocking::Client::untracked(rocket).unwrap();
/// ```
#[derive(Clone)]
pub struct Health(Vec<Arc<Realm>>);

/// What is wrong with a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The path prefix of the realm; `"/"` for the whole site.
    pub realm: String,
    /// What is wrong, for an operator.
    pub why: String,
}

impl Health {
    /// The health of this app's sessions; `None` if it has none.
    pub fn of(rocket: &Rocket<Orbit>) -> Option<Health> {
        let engine = rocket.state::<Engine>()?;
        Some(Health(engine.realms.iter().map(Arc::clone).collect()))
    }

    /// Asks the store of each realm for a session that does not exist, and looks how old what is known of its ledger is.
    /// Takes `store_timeout` for each realm at most.
    pub async fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for realm in &self.0 {
            if let Some(why) = problem(realm).await {
                problems.push(Problem { realm: realm.path.clone(), why });
            }
        }
        problems
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|realm| &realm.path)).finish()
    }
}

async fn problem(realm: &Realm) -> Option<String> {
    if let Some(ledger) = realm.store.ledger() {
        return match ledger.age() {
            _ if ledger.is_current() => None,
            Some(age) => Some(format!("what is known of the ledger is {age} seconds old")),
            None => Some("the ledger has not been read yet".to_owned()),
        };
    }
    let id = match Id::random() {
        Ok(id) => id,
        Err(error) => return Some(format!("no random bits: {error}")),
    };
    let loaded = realm.store.load(&id.to_text(), realm.clock.seconds()).await;
    loaded.err().map(|error| error.to_string())
}

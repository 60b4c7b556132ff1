//! A launch that is refused says why in its error.

use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::{Build, Rocket};

/// A fairing that fails and whose name is the reason. Rocket's error holds the names of the fairings that failed and
/// nothing else, so this is what the last line of a test shows that unwraps a `Client`, also where nothing is logged.
pub(crate) struct Refusal(&'static str);

impl Refusal {
    pub(crate) fn new(problem: &str) -> Refusal {
        // A name is static. An app that is refused ends, so this happens once.
        Refusal(Box::leak(format!("Sessions: {problem}").into_boxed_str()))
    }
}

#[rocket::async_trait]
impl Fairing for Refusal {
    fn info(&self) -> Info {
        Info { name: self.0, kind: Kind::Ignite }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        Err(rocket)
    }
}

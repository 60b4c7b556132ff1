//! A server of an experiment, driven in this process.

use std::sync::Arc;
use std::time::Duration;

use rocket::config::LogLevel;
use rocket::figment::Figment;
use rocket::local::asynchronous::Client;
use rocket::tokio::time::timeout;
use sealed_sessions::Sessions;
use sealed_sessions::store::StoreError;

use super::fault::plain;
use super::setting::Kept;
use super::site::{self, Gate, Guest};
use super::small_app::small_app;

/// The name of the cookie in all experiments.
pub(in crate::lab) const COOKIE: &str = "__Host-lab";

const START_TIMEOUT: Duration = Duration::from_secs(5);

/// One instance of the small site.
pub(in crate::lab) struct Node {
    /// What it is called in what is shown of an experiment.
    pub(in crate::lab) name: &'static str,
    pub(in crate::lab) client: Client,
    pub(in crate::lab) kept: Kept,
    /// Whether the store, and not the cookie, holds the sessions.
    pub(in crate::lab) server_side: bool,
    pub(in crate::lab) gate: Arc<Gate>,
}

impl Node {
    pub(super) async fn start(
        name: &'static str,
        kept: Kept,
        key: &str,
        previous_keys: &[String],
        sessions: Sessions<Guest>,
        log_level: LogLevel,
    ) -> Result<Node, String> {
        // Before the launch, which would log an error that here is an outcome.
        let started = timeout(START_TIMEOUT, start(&kept)).await;
        started.unwrap_or(Err(StoreError::TimedOut)).map_err(|error| plain(&error.to_string()))?;
        let figment = Figment::from(rocket::Config::default())
            // Starting a server sets the level of the whole process.
            .merge(("log_level", log_level))
            .merge(("session.previous_keys", previous_keys));
        let gate = Gate::new();
        let rocket = small_app(figment, COOKIE, key, sessions, kept.clone())
            .manage(Arc::clone(&gate))
            .mount("/", site::routes());
        let client = Client::untracked(rocket).await.map_err(|error| error.to_string())?;
        let server_side = kept.store.list().is_some();
        Ok(Node { name, client, kept, server_side, gate })
    }

    /// Whether it keeps anything on the server: sessions, or which of them have ended.
    pub(in crate::lab) fn keeps_something(&self) -> bool {
        self.server_side || self.kept.log.is_some()
    }
}

async fn start(kept: &Kept) -> Result<(), StoreError> {
    if let Some(service) = kept.store.service() {
        service.start().await?;
    }
    match &kept.log {
        Some(log) => {
            log.start().await?;
            log.read(0, 1).await.map(drop)
        }
        None => Ok(()),
    }
}

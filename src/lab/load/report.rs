//! The results of a run, and the file that keeps them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::measure::Figures;

/// The last run's file in the data directory.
const FILE: &str = "load.json";

/// A whole run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// When, as RFC 3339 writes it.
    pub made: String,
    /// The version of this package.
    pub version: String,
    /// Whether this was a release build: the figures of a debug build mean little.
    pub optimised: bool,
    /// How many cores there were.
    pub cores: usize,
    /// For how long each mix was driven in each round.
    pub seconds: f64,
    /// How many rounds there were.
    pub rounds: usize,
    /// How many requests there were at once.
    pub clients: usize,
    /// How many servers shared a store and the key.
    pub nodes: usize,
    /// How long each operation of a server store was made to wait.
    pub store_delay_millis: f64,
    /// The route without a session.
    pub bare: Figures,
    /// One for each store.
    pub stores: Vec<StoreReport>,
    /// The first server store, as it gets slower; `None` without such a store.
    pub delayed: Option<Vec<Delayed>>,
}

/// What one store did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreReport {
    /// The store's name, without its address.
    pub store: String,
    /// Whether the server keeps the sessions.
    pub server_side: bool,
    /// One for each mix.
    pub mixes: Vec<Figures>,
    /// By the size of the session's data.
    pub wire: Vec<OnTheWire>,
    /// What a session takes on the server; `None` if that could not be measured.
    pub at_rest: Option<AtRest>,
}

/// The bytes of one request and its answer, both ways together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OnTheWire {
    /// The size of what the app added to the session.
    pub data: usize,
    /// Of a read; `None` if the session was refused as too large.
    pub read: Option<u64>,
    /// Of a write.
    pub write: Option<u64>,
}

/// What sessions take on the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AtRest {
    /// How many were made.
    pub sessions: usize,
    /// The growth divided by them.
    pub bytes_per_session: f64,
    /// How many of these are the session's data, as JSON; 0 where only its end is kept.
    pub data: usize,
    /// Of what: a `file` or the `memory` of a store or a ledger, or nowhere.
    pub place: String,
}

/// Where sessions are that take nothing on the server.
const NOWHERE: &str = "nowhere";

/// With fewer sessions than this, what a server takes for itself hides what they take.
const ENOUGH_SESSIONS: usize = 10_000;

impl AtRest {
    /// The server keeps nothing.
    pub(super) fn nothing() -> AtRest {
        AtRest { sessions: 0, bytes_per_session: 0.0, data: 0, place: NOWHERE.into() }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.place == NOWHERE
    }

    /// Whether there were enough sessions for the figure to mean something.
    pub(super) fn is_telling(&self) -> bool {
        self.sessions >= ENOUGH_SESSIONS && self.bytes_per_session >= 1.0
    }
}

/// The read-heavy mix on a store that answers later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delayed {
    /// Which store.
    pub store: String,
    /// By how much.
    pub delay_millis: f64,
    /// What was measured.
    pub figures: Figures,
}

impl Report {
    /// Keeps it as the last run.
    ///
    /// # Errors
    /// When the directory cannot be created, or the file cannot be written.
    pub fn keep(&self, data_dir: &Path) -> Result<(), String> {
        let file = data_dir.join(FILE);
        let fails = |error: io::Error| format!("{} cannot be written: {error}", file.display());
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        // For its owner only, as the app creates it: the key will be there too.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(fails)?;
        // A page that reads meanwhile sees the old one or the new one.
        let new = data_dir.join(format!("{FILE}.new"));
        let mut writer = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .map_err(fails)?;
        writer.write_all(text.as_bytes()).and_then(|()| fs::rename(&new, &file)).map_err(fails)
    }

    /// The last run, if there was one.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn last(data_dir: &Path) -> Result<Option<Report>, String> {
        let file = data_dir.join(FILE);
        let text = match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| format!("{} cannot be read: {error}", file.display()))?,
        };
        let report = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is no report of this version: {error}", file.display()))?;
        Ok(Some(report))
    }
}

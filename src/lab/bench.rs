//! Where an experiment is made: it opens stores, starts servers over them, and keeps what happened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::config::LogLevel;
use rocket::figment::Figment;
use rocket::local::asynchronous::Client;
use rocket::tokio::time::timeout;
use sealed_sessions::{Clock, Id, ManualClock, Sessions, Store, StoreError, SystemClock, generate_key};
use tempfile::TempDir;
use time::Duration;

use super::browser::Browser;
use super::clocks::Ahead;
use super::column::Column;
use super::site::{self, Gate, Guest};
use super::spy::Spy;
use super::{Exchange, Figures};

/// The name of the cookie in all experiments.
pub(super) const COOKIE: &str = "__Host-lab";

/// How long a store may take to start.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Where one experiment is made on one store.
pub struct Bench {
    column: Column,
    log_level: LogLevel,
    clock: Arc<ManualClock>,
    down: Arc<AtomicBool>,
    directory: TempDir,
    /// Not shared with any other run, so that a server that is in use shows this one's sessions only.
    realm: String,
    key: String,
    exchanges: Mutex<Vec<Exchange>>,
    figures: Mutex<Figures>,
}

/// A server: one instance of the small app.
pub(super) struct Node {
    pub(super) client: Client,
    pub(super) store: Arc<dyn Store>,
    pub(super) gate: Arc<Gate>,
}

/// How a server is started, where it is not like the others.
#[derive(Default)]
pub(super) struct Setup {
    /// The store that it shares; none: one opened anew by the setting.
    pub(super) store: Option<Arc<dyn Store>>,
    /// The key; none: that of the experiment.
    pub(super) key: Option<String>,
    pub(super) previous_keys: Vec<String>,
    /// How far its clock is ahead.
    pub(super) ahead: Duration,
}

impl Bench {
    pub(super) fn new(column: &Column, log_level: LogLevel) -> Result<Bench, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let id = Id::random().map_err(|error| format!("no random bits: {error}"))?;
        Ok(Bench {
            column: column.clone(),
            log_level,
            // Servers that forget by themselves go by the true time.
            clock: Arc::new(ManualClock::at(SystemClock.now())),
            down: Arc::default(),
            directory,
            realm: format!("lab-{}", id.to_text()),
            key: new_key()?,
            exchanges: Mutex::default(),
            figures: Mutex::default(),
        })
    }

    pub(super) fn key(&self) -> String {
        self.key.clone()
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.seconds()
    }

    pub(super) fn advance(&self, step: Duration) {
        self.clock.advance(step);
    }

    /// Takes the store's server away, or gives it back.
    pub(super) fn store_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// The first server of an experiment, or the same one started again.
    pub(super) async fn node(&self) -> Result<Node, String> {
        self.node_with(Setup::default()).await
    }

    pub(super) async fn node_with(&self, setup: Setup) -> Result<Node, String> {
        let store = match setup.store {
            Some(store) => store,
            None => self.watched(self.column.open(self.directory.path(), &self.realm)?),
        };
        // Before the launch, which would log what is an outcome here.
        let started = timeout(PATIENCE, store.start()).await.unwrap_or(Err(StoreError::TimedOut));
        started.map_err(|error| self.unstartable(&error.to_string()))?;
        let figment = Figment::from(rocket::Config::default())
            // Starting a server sets the level of the whole process.
            .merge(("log_level", self.log_level))
            .merge(("secret_key", setup.key.unwrap_or_else(|| self.key.clone())))
            .merge(("session.store", "lab"))
            .merge(("session.cookie", COOKIE))
            .merge(("session.previous_keys", setup.previous_keys));
        let clock: Arc<dyn Clock> = Arc::new(Ahead { of: self.clock.clone(), by: setup.ahead });
        let sessions = Sessions::<Guest>::fairing().clock(self.column.clock(clock));
        let gate = Gate::new();
        let rocket = rocket::custom(figment)
            .attach(sessions.store("lab", Arc::clone(&store)))
            .manage(Arc::clone(&gate))
            .mount("/", site::routes());
        let client = Client::untracked(rocket).await.map_err(|error| self.unstartable(&error.to_string()))?;
        Ok(Node { client, store, gate })
    }

    /// A server that was given the key and nothing else.
    pub(super) async fn node_with_the_key_alone(&self, other: &Node) -> Result<Node, String> {
        let store = match other.store.capabilities().server_side {
            true => Column::new("memory")?.open(self.directory.path(), &self.realm)?,
            false => Column::new("cookie")?.open(self.directory.path(), &self.realm)?,
        };
        let store = Some(self.watched(store));
        self.node_with(Setup { store, ..Setup::default() }).await
    }

    fn watched(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Spy { store, down: Arc::clone(&self.down) })
    }

    fn unstartable(&self, problem: &str) -> String {
        format!("a server over the store {:?} could not be started: {problem}", self.column.name)
    }

    pub(super) fn browser(&self, name: &'static str) -> Browser<'_> {
        Browser::new(self, name)
    }

    /// Notes a question to the store itself.
    pub(super) fn asked<V>(
        &self,
        question: &str,
        answer: Result<V, StoreError>,
        show: impl FnOnce(&V) -> String,
    ) -> Option<V> {
        let status = match &answer {
            Ok(value) => show(value),
            Err(error) => error.to_string(),
        };
        self.note(Exchange {
            who: "server",
            method: "store",
            path: question.into(),
            status,
            ..Exchange::default()
        });
        answer.ok()
    }

    pub(super) fn note(&self, exchange: Exchange) {
        lock(&self.exchanges).push(exchange);
    }

    pub(super) fn measured(&self, figures: Figures) {
        *lock(&self.figures) = figures;
    }

    /// What happened so far, once.
    pub(super) fn taken(&self) -> (Vec<Exchange>, Figures) {
        (std::mem::take(&mut *lock(&self.exchanges)), std::mem::take(&mut *lock(&self.figures)))
    }
}

pub(super) fn new_key() -> Result<String, String> {
    generate_key().map_err(|error| format!("no random bits: {error}"))
}

fn lock<V>(shared: &Mutex<V>) -> MutexGuard<'_, V> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

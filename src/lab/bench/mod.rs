//! What experiments run on: stores under test, small servers over them, browsers and clocks.

mod answer;
mod browser;
mod clocks;
mod column;
mod fault;
mod journal;
mod node;
mod outage;
mod setting;
mod site;
mod small_app;
mod spy;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::config::LogLevel;
use sealed_sessions::keys::generate_key;
use sealed_sessions::ledger::{Log, MemoryLog};
use sealed_sessions::store::{Id, StoreError};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Clock, Sessions, SystemClock};
use tempfile::TempDir;
use time::Duration;

use self::clocks::Ahead;
use self::fault::plain;
use self::journal::Journal;
use self::outage::Outage;
use self::spy::Spy;

pub(super) use self::answer::Answer;
pub(super) use self::browser::Browser;
pub use self::column::{Column, configured};
pub use self::journal::{Exchange, Measurements};
pub(super) use self::node::{COOKIE, Node};
pub(super) use self::setting::{Kept, Setting};
pub(super) use self::site::{MAX_NOTE_BYTES, UNABLE};
pub(super) use self::small_app::small_app;
pub(super) use self::watched::{Observer, Operation, Watched};

/// What the first server of an experiment is called.
const SERVER: &str = "server";

/// Where one experiment runs on one store: it opens stores, starts servers over them, and keeps what
/// happened.
pub(super) struct Bench {
    column: Column,
    log_level: LogLevel,
    clock: Arc<ManualClock>,
    down: Arc<AtomicBool>,
    directory: TempDir,
    /// Shared with no other run, so that a database in use shows the sessions of this one only.
    realm: String,
    key: String,
    journal: Journal,
}

/// How a server differs from the first one of its experiment.
#[derive(Default)]
pub(super) struct Setup {
    /// What it is called; without a name it is the first one.
    pub(super) name: Option<&'static str>,
    /// What it shares with another; without that, it opens its own from the setting.
    pub(super) kept: Option<Kept>,
    /// Its key; without one, that of the experiment.
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
            // Databases that expire sessions by themselves use the true time.
            clock: Arc::new(ManualClock::at(SystemClock.now())),
            down: Arc::default(),
            directory,
            realm: format!("lab-{}", id.to_text()),
            key: new_key()?,
            journal: Journal::default(),
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
        self.journal.tell(&passing(step));
    }

    /// Tells what goes on between two exchanges.
    pub(super) fn tell(&self, sentence: &str) {
        self.journal.tell(sentence);
    }

    /// The verdict rests on the answer with this number; without one that is named, on the last.
    pub(super) fn decided_by(&self, number: usize) {
        self.journal.decided_by(number);
    }

    /// Takes the database of the store or of the ledger away, or gives it back.
    pub(super) fn server_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
        self.journal.tell(if down { "The database stops answering." } else { "It is back." });
    }

    /// The first server of an experiment, or the same one started again.
    pub(super) async fn node(&self) -> Result<Node, String> {
        self.node_with(Setup::default()).await
    }

    /// Another server with the same settings.
    pub(super) async fn another_node(&self, name: &'static str) -> Result<Node, String> {
        self.node_with(Setup { name: Some(name), ..Setup::default() }).await
    }

    pub(super) async fn node_with(&self, setup: Setup) -> Result<Node, String> {
        let kept = match setup.kept {
            Some(kept) => kept,
            None => self.open(&self.column)?,
        };
        let key = setup.key.unwrap_or_else(|| self.key.clone());
        let clock: Arc<dyn Clock> = Arc::new(Ahead { of: self.clock.clone(), by: setup.ahead });
        let (column, down) = (self.column.clone(), Arc::clone(&self.down));
        let has_ledger = kept.log.is_some();
        let sessions = Sessions::fairing().clock(self.column.clock(clock)).wrap_store(move |store| {
            let store = if has_ledger { column.store(store) } else { store };
            let spy = Spy::new(&*store, Arc::clone(&down));
            Arc::new(Watched::new(store, spy))
        });
        let name = &self.column.name;
        Node::start(setup.name.unwrap_or(SERVER), kept, &key, &setup.previous_keys, sessions, self.log_level)
            .await
            .map_err(|problem| format!("a server over the store {name:?} could not be started: {problem}"))
    }

    /// A server that was given the key and nothing else.
    pub(super) async fn node_with_the_key_alone(
        &self,
        name: &'static str,
        other: &Node,
    ) -> Result<Node, String> {
        let setting = if other.server_side { "memory" } else { "cookie" };
        let kept = Some(self.open(&Column::new(setting)?)?);
        self.node_with(Setup { name: Some(name), kept, ..Setup::default() }).await
    }

    /// A server with another key, whose operator has a copy of what another server keeps. A ledger opens for its own key
    /// alone, so that they begin one of their own.
    pub(super) async fn node_with_another_key(&self, other: &Node) -> Result<Node, String> {
        let log = other.kept.log.as_ref().map(|_| Arc::new(MemoryLog::default()) as Arc<dyn Log>);
        let kept = Some(Kept { log, ..other.kept.clone() });
        let name = Some("another app");
        self.node_with(Setup { name, kept, key: Some(new_key()?), ..Setup::default() }).await
    }

    /// Whether what a server keeps is there for another process with the same setting: else it cannot be down by itself.
    pub(super) async fn outlives_the_process(&self, browser: &Browser<'_>) -> Result<bool, String> {
        // A ledger that is begun later ends the sessions that were signed in before.
        self.advance(Duration::minutes(1));
        let other = self.another_node("another process").await?;
        Ok(browser.get(&other, "/profile").await?.user().is_some())
    }

    /// A ledger wraps the cookie store in each server; another store is opened, and wrapped, once for all servers that
    /// share it.
    fn open(&self, column: &Column) -> Result<Kept, String> {
        let Kept { store, log } = column.open(self.directory.path(), &self.realm)?;
        let down = || Arc::clone(&self.down);
        Ok(match log {
            Some(log) => Kept { store, log: Some(column.log(Arc::new(Outage { log, down: down() }))) },
            None => Kept { store: column.store(store), log: None },
        })
    }

    pub(super) fn browser(&self, name: &'static str) -> Browser<'_> {
        Browser::new(&self.journal, name)
    }

    /// Notes a question to the store itself; `None` for one that the store has no answer to.
    ///
    /// # Errors
    /// That the store failed.
    pub(super) fn asked<V>(
        &self,
        question: &str,
        answer: Option<Result<V, StoreError>>,
        show: impl FnOnce(&V) -> String,
    ) -> Result<Option<V>, String> {
        let status = match &answer {
            Some(Ok(value)) => show(value),
            Some(Err(error)) => plain(&error.to_string()),
            None => "the store cannot do that".into(),
        };
        let begun = self.journal.begin();
        self.journal.note(Exchange { who: SERVER, whom: "store", path: question.into(), status, ..begun });
        let failed = |error: StoreError| format!("“{question}” failed: {}", plain(&error.to_string()));
        answer.transpose().map_err(failed)
    }

    pub(super) fn measured(&self, measurements: Measurements) {
        self.journal.measured(measurements);
    }

    /// What happened, and what was measured.
    pub(super) fn finish(self) -> (Vec<Exchange>, Measurements) {
        self.journal.finish()
    }
}

/// That so much time goes by.
fn passing(time: Duration) -> String {
    let (count, unit) = match time.whole_seconds() {
        seconds if seconds % 3600 == 0 => (seconds / 3600, "hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    if count == 1 { format!("One {unit} passes.") } else { format!("{count} {unit}s pass.") }
}

pub(super) fn new_key() -> Result<String, String> {
    generate_key().map_err(|error| format!("no random bits: {error}"))
}

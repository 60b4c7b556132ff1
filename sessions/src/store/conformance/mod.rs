//! The contract of a [`Store`] as runnable checks, for whoever writes one.
//!
//! Every server store of this library passes it; the cookie store, which keeps nothing, cannot. A store of
//! your own joins in a few lines:
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # rocket::async_test(async {
//! use sealed_sessions::{conformance, open_store};
//!
//! let store = open_store("memory", "__Host-session").unwrap();
//! store.start().await.unwrap();
//! let report = conformance::check(&store).await;
//! assert!(report.passed(), "{report}");
//! # });
//! ```
//!
//! The checks use ids, subjects and times of their own, so they can run on a store that is in use.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rocket::futures::future::BoxFuture;
use rocket::tokio::time::timeout;

use crate::clock::{Clock, SystemClock, UnixSeconds};
use crate::error::StoreError;
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::store::{Loaded, Store, Written};

mod clauses;
mod crowds;

/// How long one clause may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A clause of the contract.
#[derive(Clone, Copy)]
pub struct Clause {
    /// What holds, as a sentence.
    pub name: &'static str,
    check: fn(Bench) -> BoxFuture<'static, Result<(), Failed>>,
}

impl Clause {
    /// Whether `store` keeps it; `Err` says what was seen instead.
    pub async fn check(&self, store: &Arc<dyn Store>) -> Result<(), String> {
        let bench = Bench { store: Arc::clone(store), now: SystemClock.seconds() };
        match timeout(PATIENCE, (self.check)(bench)).await {
            Ok(outcome) => outcome.map_err(|Failed(why)| why),
            Err(_) => Err(format!("not done after {PATIENCE:?}")),
        }
    }
}

impl fmt::Debug for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All clauses.
pub const CLAUSES: &[Clause] = clauses::ALL;

/// Checks every clause, one after the other.
pub async fn check(store: &Arc<dyn Store>) -> Report {
    let mut outcomes = Vec::with_capacity(CLAUSES.len());
    for clause in CLAUSES {
        outcomes.push((clause.name, clause.check(store).await));
    }
    Report(outcomes)
}

/// What became of each clause.
#[derive(Debug)]
pub struct Report(Vec<(&'static str, Result<(), String>)>);

impl Report {
    /// Whether every clause holds.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The clauses that do not hold, with what was seen instead.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().filter_map(|(name, outcome)| Some((*name, outcome.as_ref().err()?.as_str())))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.0 {
            match outcome {
                Ok(()) => writeln!(f, "holds   {name}")?,
                Err(why) => writeln!(f, "FAILS   {name}: {why}")?,
            }
        }
        Ok(())
    }
}

type Outcome = Result<(), Failed>;

/// What was seen instead of what the clause says.
struct Failed(String);

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed(format!("an error: {error}"))
    }
}

fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(Failed(what())) }
}

/// A store and a moment.
#[derive(Clone)]
struct Bench {
    store: Arc<dyn Store>,
    now: UnixSeconds,
}

/// How long the records of the checks live: long enough for the slowest store.
const HOUR: UnixSeconds = 3600;

impl Bench {
    fn until(&self) -> UnixSeconds {
        self.now + HOUR
    }

    /// A record that no store has yet.
    fn record(&self) -> Result<Record, Failed> {
        Ok(Record {
            id: random_id()?,
            created: self.now,
            seen: self.now,
            version: 1,
            data: r#"{"views":1}"#.to_owned(),
            remembered: false,
            signed_in: None,
            subject: None,
        })
    }

    fn subject(&self) -> Result<String, Failed> {
        Ok(format!("subject {}", random_id()?.to_text()))
    }

    async fn created(&self) -> Result<Record, Failed> {
        let record = self.record()?;
        self.create(&record).await?;
        Ok(record)
    }

    async fn created_for(&self, subject: &str) -> Result<Record, Failed> {
        let record = Record { subject: Some(subject.to_owned()), ..self.record()? };
        self.create(&record).await?;
        Ok(record)
    }

    async fn create(&self, record: &Record) -> Result<(), Failed> {
        saved(self.store.create(record, self.until()).await?, "create")
    }

    async fn update(&self, record: &Record, expected: u32) -> Result<Written, Failed> {
        Ok(self.store.update(record, expected, self.until()).await?)
    }

    async fn load(&self, id: &Id) -> Result<Loaded, Failed> {
        Ok(self.store.load(&id.to_text(), self.now).await?)
    }

    /// The record is there, just so.
    async fn finds(&self, expected: &Record) -> Result<(), Failed> {
        let loaded = self.load(&expected.id).await?;
        let same = matches!(&loaded, Loaded::Found(found) if found == expected);
        expect(same, || format!("{} was loaded, not what was written", describe(&loaded)))
    }

    async fn misses(&self, id: &Id) -> Result<(), Failed> {
        let loaded = self.load(id).await?;
        expect(loaded == Loaded::Missing, || format!("{} was loaded, not nothing", describe(&loaded)))
    }

    /// The hashes of the sessions of a subject, in order.
    async fn listed(&self, subject: &str, now: UnixSeconds) -> Result<Vec<IdHash>, Failed> {
        let listed = self.store.by_subject(subject, now).await?;
        let mut ids: Vec<IdHash> = listed.into_iter().map(|listed| listed.id).collect();
        ids.sort();
        Ok(ids)
    }

    async fn lists(&self, subject: &str, expected: &[&Record]) -> Result<(), Failed> {
        let listed = self.listed(subject, self.now).await?;
        let mut expected: Vec<IdHash> = expected.iter().map(|record| IdHash::of(&record.id)).collect();
        expected.sort();
        expect(listed == expected, || {
            format!("{} sessions listed, not these {}", listed.len(), expected.len())
        })
    }
}

fn random_id() -> Result<Id, Failed> {
    Id::random().map_err(|error| Failed(format!("no random bits: {error}")))
}

fn saved(written: Written, what: &str) -> Result<(), Failed> {
    expect(matches!(written, Written::Saved(_)), || format!("{what} answered {written:?}, not Saved"))
}

fn answers(written: &Written, expected: &Written, what: &str) -> Result<(), Failed> {
    expect(written == expected, || format!("{what} answered {written:?}, not {expected:?}"))
}

fn describe(loaded: &Loaded) -> String {
    match loaded {
        Loaded::Found(record) => format!("version {} with {} bytes", record.version, record.data.len()),
        other => format!("{other:?}"),
    }
}

//! What the clauses share: a store at a moment, and how they say what they see.

use std::sync::Arc;

use crate::clock::UnixSeconds;
use crate::contract::{Failed, Outcome, expect, random_id};
use crate::record::Record;
use crate::record::id::{Id, IdHash};
use crate::store::{Loaded, Over, Store, Write, Written};

/// How long the records of the checks live: long enough for the slowest store.
pub(super) const HOUR: UnixSeconds = 3600;

/// The next version of a record, with its number as its data.
pub(super) fn updated(record: &Record) -> Record {
    let version = record.version + 1;
    Record { version, data: format!(r#"{{"views":{version}}}"#), ..record.clone() }
}

/// The next version of a record, under a new id.
pub(super) fn renewed(record: &Record) -> Result<Record, Failed> {
    Ok(Record { id: random_id()?, ..updated(record) })
}

/// A store and a moment.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) store: Arc<dyn Store>,
    pub(super) now: UnixSeconds,
}

impl Bench {
    pub(super) fn new(store: &Arc<dyn Store>, now: UnixSeconds) -> Bench {
        Bench { store: Arc::clone(store), now }
    }

    /// When the records of the checks expire.
    pub(super) fn until(&self) -> UnixSeconds {
        self.now + HOUR
    }

    /// A record that no store has yet.
    pub(super) fn record(&self) -> Result<Record, Failed> {
        Ok(Record {
            id: random_id()?,
            created: self.now,
            seen: self.now,
            version: 1,
            data: r#"{"views":1}"#.to_owned(),
            remembered: false,
            signed_in: None,
            subject: None,
            position: None,
        })
    }

    /// A record with this subject, that no store has yet.
    pub(super) fn record_of(&self, subject: &str) -> Result<Record, Failed> {
        Ok(Record { subject: Some(subject.to_owned()), signed_in: Some(self.now), ..self.record()? })
    }

    /// A subject that has no session.
    pub(super) fn subject(&self) -> Result<String, Failed> {
        Ok(format!("subject {}", random_id()?.to_text()))
    }

    /// A new anonymous session.
    pub(super) async fn created(&self) -> Result<Record, Failed> {
        let record = self.record()?;
        self.saves(self.write(&record, Over::Nothing), "creating").await?;
        Ok(record)
    }

    /// A new session of this subject.
    pub(super) async fn created_for(&self, subject: &str) -> Result<Record, Failed> {
        let record = self.record_of(subject)?;
        self.saves(self.write(&record, Over::Nothing), "creating").await?;
        Ok(record)
    }

    /// A session that has been deleted.
    pub(super) async fn ended(&self) -> Result<Record, Failed> {
        let record = self.created().await?;
        self.delete(&record.id).await?;
        Ok(record)
    }

    /// A write of a record that lives for an hour.
    pub(super) fn write<'w>(&self, record: &'w Record, over: Over<'w>) -> Write<'w> {
        Write { record, expires: self.until(), over }
    }

    /// The write is kept.
    pub(super) async fn saves(&self, write: Write<'_>, what: &str) -> Outcome {
        let written = self.store.save(&write).await?;
        expect(matches!(written, Written::Saved(_)), || format!("{what} answered {written:?}, not Saved"))
    }

    /// The write is refused.
    pub(super) async fn refuses(&self, write: Write<'_>, what: &str) -> Outcome {
        let written = self.store.save(&write).await?;
        expect(written == Written::Stale, || format!("{what} answered {written:?}, not Stale"))
    }

    pub(super) async fn load(&self, id: &Id) -> Result<Loaded, Failed> {
        self.load_at(id, self.now).await
    }

    pub(super) async fn load_at(&self, id: &Id, now: UnixSeconds) -> Result<Loaded, Failed> {
        Ok(self.store.load(&id.to_text(), now).await?)
    }

    pub(super) async fn delete(&self, id: &Id) -> Outcome {
        Ok(self.store.delete(&id.to_text()).await?)
    }

    /// The record is there, exactly as it is here.
    pub(super) async fn finds(&self, expected: &Record) -> Outcome {
        let loaded = self.load(&expected.id).await?;
        let same = matches!(&loaded, Loaded::Found(found) if found == expected);
        expect(same, || format!("{} was loaded, not what was written", describe(&loaded)))
    }

    pub(super) async fn misses(&self, id: &Id) -> Outcome {
        let loaded = self.load(id).await?;
        expect(loaded == Loaded::Missing, || format!("{} was loaded, not Missing", describe(&loaded)))
    }

    pub(super) async fn is_superseded(&self, id: &Id) -> Outcome {
        let loaded = self.load(id).await?;
        let superseded = matches!(loaded, Loaded::Superseded(_));
        expect(superseded, || format!("{} was loaded, not Superseded", describe(&loaded)))
    }

    /// Exactly these sessions of a subject are listed, by a store that can list.
    pub(super) async fn lists(&self, subject: &str, expected: &[&Record]) -> Outcome {
        let Some(list) = self.store.list() else { return Ok(()) };
        let listed = list.of_subject(subject, self.now).await?;
        let mut listed: Vec<IdHash> = listed.into_iter().map(|listed| listed.id).collect();
        let mut expected: Vec<IdHash> = expected.iter().map(|record| IdHash::of(&record.id)).collect();
        listed.sort();
        expected.sort();
        expect(listed == expected, || {
            format!("{} sessions are listed, not the expected {}", listed.len(), expected.len())
        })
    }
}

pub(super) fn describe(loaded: &Loaded) -> String {
    match loaded {
        Loaded::Found(record) => format!("version {} with {} bytes", record.version, record.data.len()),
        other => format!("{other:?}"),
    }
}

//! A store or a clock that misbehaves, one for each experiment: its verdict changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rocket::config::LogLevel;
use sealed_sessions::store::{
    self, Capabilities, Id, IdHash, Listed, Loaded, Lock, Record, Store, StoreError, UnixSeconds, Written,
};
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Clock, SystemClock};
use sealed_sessions_app::lab::{Column, find, run};
use time::OffsetDateTime;

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    DeletesNothing,
    ServesTheFirstRecord,
    IgnoresVersions,
    FindsNothing,
    EndsNothing,
    KeepsTheOldId,
    BringsBackTheDead,
    NeedsAServer,
    ForgetsWhenItStartsAgain,
    RefusesLargeData,
    ListsOnlyOne,
}

struct Flawed {
    inner: Arc<dyn Store>,
    flaw: Flaw,
    starts: AtomicU32,
    firsts: Mutex<HashMap<String, Record>>,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }
}

#[rocket::async_trait]
impl Store for Flawed {
    fn capabilities(&self) -> Capabilities {
        let capabilities = self.inner.capabilities();
        Capabilities { server_side: capabilities.server_side || self.has(Flaw::NeedsAServer), ..capabilities }
    }

    async fn start(&self) -> Result<(), StoreError> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.inner.start().await
    }

    async fn load(&self, ticket: &str, now: UnixSeconds) -> Result<Loaded, StoreError> {
        // The lab starts it, and so does each server that it is given to.
        let forgotten = self.has(Flaw::ForgetsWhenItStartsAgain) && self.starts.load(Ordering::SeqCst) > 2;
        if forgotten || self.has(Flaw::FindsNothing) {
            return Ok(Loaded::Missing);
        }
        if let (true, Some(first)) =
            (self.has(Flaw::ServesTheFirstRecord), self.firsts.lock().unwrap().get(ticket))
        {
            return Ok(Loaded::Found(first.clone()));
        }
        self.inner.load(ticket, now).await
    }

    async fn create(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.firsts.lock().unwrap().insert(record.id.to_text(), record.clone());
        self.inner.create(record, until).await
    }

    async fn update(
        &self,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        if self.has(Flaw::RefusesLargeData) && record.data.len() > 1000 {
            return Err(StoreError::Failed("too large".into()));
        }
        let written = self.inner.update(record, expected, until).await?;
        match written {
            Written::Gone if self.has(Flaw::BringsBackTheDead) => self.inner.create(record, until).await,
            Written::Conflict if self.has(Flaw::IgnoresVersions) => {
                let Loaded::Found(now) = self.inner.load(&record.id.to_text(), record.seen).await? else {
                    return Ok(written);
                };
                let over = Record { version: now.version + 1, ..record.clone() };
                self.inner.update(&over, now.version, until).await
            }
            written => Ok(written),
        }
    }

    async fn renew(
        &self,
        old: &Id,
        record: &Record,
        expected: u32,
        until: UnixSeconds,
    ) -> Result<Written, StoreError> {
        if self.has(Flaw::KeepsTheOldId) {
            return self.inner.update(&Record { id: *old, ..record.clone() }, expected, until).await;
        }
        self.inner.renew(old, record, expected, until).await
    }

    async fn touch(&self, record: &Record, until: UnixSeconds) -> Result<Written, StoreError> {
        self.inner.touch(record, until).await
    }

    async fn delete(&self, id: &IdHash) -> Result<(), StoreError> {
        if self.has(Flaw::DeletesNothing) { Ok(()) } else { self.inner.delete(id).await }
    }

    async fn by_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let mut all = self.inner.by_subject(subject, now).await?;
        if self.has(Flaw::ListsOnlyOne) {
            all.truncate(1);
        }
        Ok(all)
    }

    async fn end_all(
        &self,
        subject: &str,
        except: Option<&IdHash>,
        now: UnixSeconds,
    ) -> Result<u64, StoreError> {
        if self.has(Flaw::EndsNothing) {
            return Ok(2);
        }
        self.inner.end_all(subject, except, now).await
    }

    async fn lock(&self, ticket: &str) -> Result<Lock, StoreError> {
        self.inner.lock(ticket).await
    }
}

/// The verdict as it is, and then with the flaw.
async fn changes(slug: &str, setting: &str, flawed: impl FnOnce(Column) -> Column) {
    let column = Column::new(setting).unwrap();
    let experiment = find(slug).unwrap();
    let sound = run(experiment, std::slice::from_ref(&column), LogLevel::Off).await;
    let flawed = run(experiment, &[flawed(column)], LogLevel::Off).await;
    assert_eq!(sound.outcomes[0].verdict.name(), "holds", "{:?}", sound.outcomes[0].verdict);
    assert_eq!(flawed.outcomes[0].verdict.name(), "does-not-hold", "{:?}", flawed.outcomes[0].verdict);
}

fn with(flaw: Flaw) -> impl FnOnce(Column) -> Column {
    move |column| {
        column.with_store(move |inner| {
            Arc::new(Flawed { inner, flaw, starts: AtomicU32::new(0), firsts: Mutex::default() })
        })
    }
}

/// What is kept on the side of one process, though it was to be shared.
fn kept_apart(column: Column) -> Column {
    column.with_store(|_| store::open("memory", "apart").unwrap())
}

/// Goes a hundred times too fast.
struct Fast {
    of: Arc<dyn Clock>,
    since: OffsetDateTime,
}

impl Clock for Fast {
    fn now(&self) -> OffsetDateTime {
        self.since + (self.of.now() - self.since) * 100
    }
}

#[rocket::async_test]
async fn replay_after_logout_sees_a_store_that_deletes_nothing() {
    changes("replay-after-logout", "memory", with(Flaw::DeletesNothing)).await;
}

#[rocket::async_test]
async fn rollback_sees_a_store_that_serves_what_was_there_first() {
    changes("rollback", "memory", with(Flaw::ServesTheFirstRecord)).await;
}

#[rocket::async_test]
async fn lost_update_sees_a_store_that_ignores_versions() {
    changes("lost-update", "sqlite", with(Flaw::IgnoresVersions)).await;
}

#[rocket::async_test]
async fn tamper_sees_that_the_true_session_is_harmed() {
    changes("tamper", "memory", with(Flaw::FindsNothing)).await;
}

#[rocket::async_test]
async fn theft_sees_a_store_that_says_it_has_ended_what_it_has_not() {
    changes("theft-and-log-out-everywhere", "sqlite", with(Flaw::EndsNothing)).await;
}

#[rocket::async_test]
async fn fixation_sees_a_store_that_keeps_the_old_id() {
    changes("fixation", "memory", with(Flaw::KeepsTheOldId)).await;
}

#[rocket::async_test]
async fn logout_race_sees_a_store_that_brings_back_the_dead() {
    changes("logout-race", "memory", with(Flaw::BringsBackTheDead)).await;
}

#[rocket::async_test]
async fn expiry_sees_a_clock_that_stands_still() {
    let still = |column: Column| column.with_clock(|clock| Arc::new(ManualClock::at(clock.now())));
    changes("idle-and-absolute-expiry", "cookie", still).await;
}

#[rocket::async_test]
async fn restart_sees_a_store_that_keeps_nothing_outside_of_the_process() {
    changes("restart", "sqlite", kept_apart).await;
}

#[rocket::async_test]
async fn second_node_sees_a_store_that_is_not_shared() {
    changes("second-node", "sqlite", kept_apart).await;
}

#[rocket::async_test]
async fn store_outage_sees_a_cookie_store_that_needs_a_server() {
    changes("store-outage", "cookie", with(Flaw::NeedsAServer)).await;
}

#[rocket::async_test]
async fn key_rotation_sees_a_store_that_forgets_meanwhile() {
    changes("key-rotation", "memory", with(Flaw::ForgetsWhenItStartsAgain)).await;
}

#[rocket::async_test]
async fn growth_sees_a_store_that_refuses_large_data() {
    changes("growth", "memory", with(Flaw::RefusesLargeData)).await;
}

#[rocket::async_test]
async fn who_is_signed_in_sees_a_list_that_is_not_whole() {
    changes("who-is-signed-in", "memory", with(Flaw::ListsOnlyOne)).await;
}

#[rocket::async_test]
async fn clock_skew_sees_a_clock_that_goes_too_fast() {
    let since = SystemClock.now();
    let fast = move |column: Column| column.with_clock(move |of| Arc::new(Fast { of, since }));
    changes("clock-skew", "cookie", fast).await;
}

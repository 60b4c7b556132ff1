//! A store or a clock that misbehaves, one for each experiment: its verdict changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rocket::config::LogLevel;
use sealed_sessions::store::{
    self, IdHash, List, Listed, Loaded, Locks, Over, Record, Revoke, Service, Store, StoreError, Ticket,
    UnixSeconds, Write, Written,
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
    LeavesNothing,
    SendsOldIdsAgain,
    ForgetsUse,
    LetsNobodyWait,
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

    /// Writes a record over whatever is there.
    async fn overwrite(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, .. } = *write;
        let Loaded::Found(there) = self.inner.load(&record.id.to_text(), record.seen).await? else {
            return Ok(Written::Stale);
        };
        let record = &Record { version: there.version + 1, ..record.clone() };
        self.inner.save(&Write { record, expires, over: Over::Version(there.version) }).await
    }
}

#[rocket::async_trait]
impl Store for Flawed {
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
        let first = self.firsts.lock().unwrap().get(ticket).map(|first| first.seen);
        if self.has(Flaw::ForgetsUse) && first.is_some_and(|first| now >= first + 30 * 60) {
            return Ok(Loaded::Missing);
        }
        match self.inner.load(ticket.trim_end_matches('~'), now).await? {
            Loaded::Superseded(_) if self.has(Flaw::LeavesNothing) => Ok(Loaded::Missing),
            loaded => Ok(loaded),
        }
    }

    async fn save(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let Write { record, expires, over } = *write;
        match over {
            Over::Nothing | Over::Dead { .. } => {
                self.firsts.lock().unwrap().insert(record.id.to_text(), record.clone());
            }
            Over::Version(_) if self.has(Flaw::RefusesLargeData) && record.data.len() > 1000 => {
                return Err(StoreError::Failed("too large".into()));
            }
            Over::Renewed(old) if self.has(Flaw::KeepsTheOldId) => {
                let (record, over) = (&Record { id: old.id, ..record.clone() }, Over::Version(old.version));
                return self.inner.save(&Write { record, expires, over }).await;
            }
            Over::Renewed(_) if self.has(Flaw::SendsOldIdsAgain) => {
                return self.inner.save(&Write { record, expires, over: Over::Nothing }).await;
            }
            _ => {}
        }
        match (self.inner.save(write).await?, over) {
            (Written::Saved(ticket), Over::Version(_)) if self.has(Flaw::SendsOldIdsAgain) => {
                Ok(Written::Saved(Ticket::new(&format!("{}~", ticket.text()))))
            }
            (Written::Stale, Over::Version(_)) if self.has(Flaw::BringsBackTheDead) => {
                self.inner.save(&Write { record, expires, over: Over::Nothing }).await
            }
            (Written::Stale, Over::Version(_)) if self.has(Flaw::IgnoresVersions) => {
                self.overwrite(write).await
            }
            (written, _) => Ok(written),
        }
    }

    async fn delete(&self, ticket: &str) -> Result<(), StoreError> {
        if self.has(Flaw::DeletesNothing) { Ok(()) } else { self.inner.delete(ticket).await }
    }

    fn revoke(&self) -> Option<&dyn Revoke> {
        self.inner.revoke().map(|_| self as &dyn Revoke)
    }

    /// Only a store on the server has a list.
    fn list(&self) -> Option<&dyn List> {
        (self.inner.list().is_some() || self.has(Flaw::NeedsAServer)).then_some(self)
    }

    fn locks(&self) -> Option<&dyn Locks> {
        if self.has(Flaw::LetsNobodyWait) { None } else { self.inner.locks() }
    }

    fn service(&self) -> Option<&dyn Service> {
        self.inner.service().map(|_| self as &dyn Service)
    }
}

#[rocket::async_trait]
impl Revoke for Flawed {
    async fn end(&self, id: &IdHash) -> Result<(), StoreError> {
        self.inner.revoke().unwrap().end(id).await
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
        self.inner.revoke().unwrap().end_all(subject, except, now).await
    }
}

#[rocket::async_trait]
impl List for Flawed {
    async fn of_subject(&self, subject: &str, now: UnixSeconds) -> Result<Vec<Listed>, StoreError> {
        let mut all = self.inner.list().unwrap().of_subject(subject, now).await?;
        if self.has(Flaw::ListsOnlyOne) {
            all.truncate(1);
        }
        Ok(all)
    }
}

#[rocket::async_trait]
impl Service for Flawed {
    async fn start(&self) -> Result<(), StoreError> {
        self.starts.fetch_add(1, Ordering::SeqCst);
        self.inner.service().unwrap().start().await
    }

    async fn sweep(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.service().unwrap().sweep(now).await
    }

    async fn stop(&self) {
        self.inner.service().unwrap().stop().await;
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
async fn sign_in_sent_twice_sees_a_store_that_leaves_nothing_under_an_old_id() {
    changes("sign-in-sent-twice", "memory", with(Flaw::LeavesNothing)).await;
}

#[rocket::async_test]
async fn answer_lost_sees_a_store_that_leaves_nothing_under_an_old_id() {
    changes("answer-lost", "memory", with(Flaw::LeavesNothing)).await;
}

#[rocket::async_test]
async fn late_answer_sees_a_store_that_sends_old_ids_again() {
    changes("late-answer-after-sign-in", "memory", with(Flaw::SendsOldIdsAgain)).await;
}

#[rocket::async_test]
async fn another_sites_form_sees_that_the_session_is_gone() {
    changes("another-sites-form", "memory", with(Flaw::FindsNothing)).await;
}

#[rocket::async_test]
async fn long_request_sees_a_store_that_forgets_use() {
    changes("long-request-and-idle", "memory", with(Flaw::ForgetsUse)).await;
}

#[rocket::async_test]
async fn one_busy_session_sees_a_store_that_lets_nobody_wait() {
    changes("one-busy-session", "memory", with(Flaw::LetsNobodyWait)).await;
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

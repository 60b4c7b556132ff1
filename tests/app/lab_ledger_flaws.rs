//! A ledger's log that misbehaves: the verdict of each experiment that rests on it changes.

use std::sync::{Arc, Mutex};

use rocket::config::LogLevel;
use sealed_sessions::ledger::{Line, Log, MemoryLog, Page};
use sealed_sessions::store::{StoreError, UnixSeconds};
use sealed_sessions_app::lab::{Column, find, run};

/// What is wrong with a log.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    /// It keeps a line of no meaning in the place of each that is appended.
    KeepsNothing,
    /// It answers with what it has read before when it should say that it cannot read.
    AnswersFromMemory,
}

struct Flawed {
    inner: Arc<dyn Log>,
    flaw: Flaw,
    last: Mutex<Page>,
}

#[rocket::async_trait]
impl Log for Flawed {
    async fn start(&self) -> Result<(), StoreError> {
        self.inner.start().await
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        match self.inner.read(from, limit).await {
            Ok(page) => {
                *self.last.lock().unwrap() = page.clone();
                Ok(page)
            }
            Err(_) if self.flaw == Flaw::AnswersFromMemory => {
                let Page { claim, lines } = self.last.lock().unwrap().clone();
                let lines = lines.into_iter().filter(|(position, _)| *position >= from).collect();
                Ok(Page { claim, lines })
            }
            Err(error) => Err(error),
        }
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        self.inner.claim(expected, claim).await
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        match self.flaw {
            Flaw::KeepsNothing => self.inner.append(&Line { until: line.until, body: vec![0] }).await,
            Flaw::AnswersFromMemory => self.inner.append(line).await,
        }
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        self.inner.put(lines).await
    }

    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        self.inner.forget(now).await
    }

    async fn stop(&self) {
        self.inner.stop().await;
    }
}

fn with(flaw: Flaw) -> impl FnOnce(Column) -> Column {
    move |column| column.with_log(move |inner| Arc::new(Flawed { inner, flaw, last: Mutex::default() }))
}

/// A log of each server's own, though it was to be shared.
fn kept_apart(column: Column) -> Column {
    column.with_log(|_| Arc::new(MemoryLog::default()))
}

/// The verdict as it is, and then with the flaw, with the words that say why.
async fn changes(slug: &str, flawed: impl FnOnce(Column) -> Column, why: &str) {
    changes_to("does-not-hold", slug, flawed, why).await;
}

async fn changes_to(name: &str, slug: &str, flawed: impl FnOnce(Column) -> Column, why: &str) {
    let column = Column::new("cookie+sqlite").unwrap();
    let experiment = find(slug).unwrap();
    let sound = run(experiment, std::slice::from_ref(&column), LogLevel::Off).await;
    let flawed = run(experiment, &[flawed(column)], LogLevel::Off).await;
    let (sound, flawed) = (&sound.outcomes[0].verdict, &flawed.outcomes[0].verdict);
    assert_eq!(sound.name(), "holds", "{sound:?}");
    assert_eq!(flawed.name(), name, "{flawed:?}");
    assert!(flawed.why().contains(why), "{flawed:?}");
}

#[rocket::async_test]
async fn replay_after_logout_sees_a_log_that_keeps_nothing() {
    changes("replay-after-logout", with(Flaw::KeepsNothing), "the copy is still signed in").await;
}

#[rocket::async_test]
async fn theft_sees_a_log_that_keeps_nothing() {
    let why = "POST /end-others (laptop, at the server) was answered with 503";
    changes_to("not-run", "theft-and-log-out-everywhere", with(Flaw::KeepsNothing), why).await;
}

#[rocket::async_test]
async fn logout_race_sees_a_log_that_keeps_nothing() {
    changes("logout-race", with(Flaw::KeepsNothing), "signed in").await;
}

#[rocket::async_test]
async fn late_answer_sees_a_log_that_keeps_nothing() {
    let why = "POST /login/bob (Bob, at the server) was answered with 503";
    changes_to("not-run", "late-answer-after-sign-in", with(Flaw::KeepsNothing), why).await;
}

#[rocket::async_test]
async fn revocation_on_another_node_sees_a_log_that_is_not_shared() {
    changes("revocation-on-another-node", kept_apart, "still lets the copy in 3 seconds after").await;
}

#[rocket::async_test]
async fn revocation_on_another_node_sees_a_log_that_keeps_nothing() {
    changes("revocation-on-another-node", with(Flaw::KeepsNothing), "even the server").await;
}

#[rocket::async_test]
async fn ledger_outage_sees_a_log_that_answers_from_memory() {
    changes("ledger-outage", with(Flaw::AnswersFromMemory), "Ada is let in although").await;
}

#[rocket::async_test]
async fn ledger_outage_sees_a_log_that_keeps_nothing() {
    changes("ledger-outage", with(Flaw::KeepsNothing), "a copy of a session that was signed out").await;
}

#[rocket::async_test]
async fn restart_sees_a_log_that_does_not_outlive_the_process() {
    changes("restart", kept_apart, "has to sign in again").await;
}

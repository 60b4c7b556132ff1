//! A store or a clock that misbehaves, one for each experiment: its verdict changes.

use std::sync::Arc;

use rocket::config::LogLevel;
use sealed_sessions::store;
use sealed_sessions::testing::ManualClock;
use sealed_sessions::{Clock, SystemClock};
use sealed_sessions_app::lab::{Column, Verdict, find, run};
use time::OffsetDateTime;

use super::lab_flawed_store::{FAULT, Flaw, with};

/// The verdict as it is, and then with the flaw.
async fn changes(slug: &str, setting: &str, flawed: impl FnOnce(Column) -> Column) {
    changes_to("does-not-hold", "", slug, setting, flawed).await;
}

/// The verdict as it is, and then with the flaw: it has this name, and these words in its reason.
async fn changes_to(name: &str, why: &str, slug: &str, setting: &str, flawed: impl FnOnce(Column) -> Column) {
    let column = Column::new(setting).unwrap();
    let sound = verdict(slug, column.clone()).await;
    let flawed = verdict(slug, flawed(column)).await;
    assert_eq!(sound.name(), "holds", "{slug} on {setting}: {sound:?}");
    assert_eq!(flawed.name(), name, "{slug} on {setting}: {flawed:?}");
    assert!(flawed.why().contains(why), "{slug} on {setting}: {flawed:?}");
}

async fn verdict(slug: &str, column: Column) -> Verdict {
    run(find(slug).unwrap(), &[column], LogLevel::Off).await.outcomes.remove(0).verdict
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

#[rocket::async_test]
async fn a_fault_at_the_request_that_decides_is_no_refusal() {
    for (slug, setting) in [
        ("replay-after-logout", "memory"),
        ("replay-after-logout", "cookie+sqlite"),
        ("theft-and-log-out-everywhere", "memory"),
        ("logout-race", "memory"),
        ("logout-race", "cookie+sqlite"),
        ("fixation", "memory"),
        ("idle-and-absolute-expiry", "memory"),
        ("revocation-on-another-node", "sqlite"),
        ("revocation-on-another-node", "cookie+sqlite"),
    ] {
        changes_to("not-run", FAULT, slug, setting, with(Flaw::FailsWhereThereIsNone)).await;
    }
}

#[rocket::async_test]
async fn a_fault_where_a_session_should_be_is_no_loss_of_it() {
    for slug in ["tamper", "rollback", "restart", "second-node", "key-rotation", "answer-lost"] {
        changes_to("not-run", FAULT, slug, "sqlite", with(Flaw::FailsToLoad)).await;
    }
}

#[rocket::async_test]
async fn a_list_that_fails_is_no_lack_of_a_list() {
    changes_to("not-run", FAULT, "who-is-signed-in", "memory", with(Flaw::FailsToList)).await;
}

#[rocket::async_test]
async fn no_session_ends_that_was_never_there() {
    for (slug, subject) in [
        ("clock-skew", "bob"),
        ("idle-and-absolute-expiry", "bob"),
        ("fixation", "ada"),
        ("logout-race", "ada"),
        ("replay-after-logout", "ada"),
        ("theft-and-log-out-everywhere", "ada"),
    ] {
        let lost = with(Flaw::LosesSessionsOf(subject));
        changes_to("not-run", "no session to try it on", slug, "memory", lost).await;
    }
}

#[rocket::async_test]
async fn expiry_sees_a_busy_session_that_ends_after_two_hours() {
    let early = with(Flaw::EndsAllAfterTwoHours);
    changes_to("does-not-hold", "when it was 2 h", "idle-and-absolute-expiry", "memory", early).await;
}

#[rocket::async_test]
async fn expiry_sees_a_session_that_lives_half_an_hour_too_long() {
    let late = with(Flaw::KeepsHalfAnHourTooLong);
    changes_to("does-not-hold", "is still alive", "idle-and-absolute-expiry", "memory", late).await;
}

#[rocket::async_test]
async fn sign_in_sent_twice_sees_a_store_that_loses_one_of_two_that_overlap() {
    let loses = with(Flaw::LosesOneOfTwoThatOverlap);
    changes_to("does-not-hold", "3 of 4 answers", "sign-in-sent-twice", "memory", loses).await;
}

//! A store that breaks the contract in one place at a time: each clause must notice.

mod store;

use sealed_sessions::conformance;

use self::store::{Flaw, Flawed};

/// Each clause, and a flaw that it must notice.
const NOTICED_BY: &[(&str, Flaw)] = &[
    ("what was created is loaded, byte for byte", Flaw::CutsNumbers),
    ("creating never overwrites", Flaw::CreateOverwrites),
    ("an update replaces the version it expects and no other", Flaw::UpdateIgnoresTheVersion),
    ("an update brings nothing back", Flaw::UpdateResurrects),
    ("an update moves neither the last use nor the end back", Flaw::UpdateMovesBack),
    ("a renewal moves a session to its new id in one step", Flaw::RenewalKeepsTheOld),
    ("a stale renewal changes nothing", Flaw::StaleRenewalDeletes),
    ("a renewal brings nothing back", Flaw::RenewalResurrects),
    ("a renewal to an id that is taken changes nothing", Flaw::RenewalDeletesFirst),
    ("an old id is superseded for a minute, then missing", Flaw::MarkerIsHidden),
    ("a renewed anonymous session stays readable under its old id", Flaw::MarkerLosesTheSession),
    ("a renewed signed-in session leaves nothing to read", Flaw::MarkerKeepsTheSignedIn),
    ("a create that is sent twice is recognised", Flaw::CreateRefusesItself),
    ("an update that is sent twice is recognised", Flaw::UpdateRefusesItself),
    ("a renewal that is sent twice is recognised", Flaw::RenewalRefusesItself),
    ("a sign-in over a dead ticket supersedes it", Flaw::SignInLeavesNoMarker),
    ("an anonymous write over a dead ticket is kept", Flaw::AnonymousIsRefused),
    ("an anonymous write gives way to a sign-in over the same dead ticket", Flaw::AnonymousIgnoresTheMarker),
    ("delete is idempotent", Flaw::SecondDeleteFails),
    ("deleting a superseded ticket ends what its session has become", Flaw::DeleteKnowsNoRenewals),
    ("deleting a dead ticket ends what was signed in over it", Flaw::DeleteKnowsNoDeadTickets),
    ("a session can be ended by the hash of its id", Flaw::EndKnowsNoRenewals),
    ("all sessions of a subject but one can be ended", Flaw::EndsMineToo),
    ("ending all sessions of a subject by a clock that is ahead misses none", Flaw::EndsTheLiveAlone),
    ("expiry is checked on every read, even before any cleanup", Flaw::ReadsTheExpired),
    ("a touch moves the last use and the end, and nothing else", Flaw::TouchWritesData),
    ("a late touch moves nothing back", Flaw::TouchMovesBack),
    ("a touch revives nothing", Flaw::TouchRevives),
    ("a clock that jumps loses no live session", Flaw::TouchTrustsItsOwnClock),
    ("a session is listed under its subject, even if it was anonymous first", Flaw::MissesTheAnonymousFirst),
    ("a session that has ended is not listed", Flaw::ListsTheExpired),
    (
        "of everyone's sessions, those that are signed in and live are gone through",
        Flaw::GoesThroughTheExpired,
    ),
    ("a session that was renewed is gone through under its old hashes too", Flaw::ForgetsOldHashes),
    ("what a renewed session has become is known by its old ticket", Flaw::KnowsNoSuccessor),
    ("no session is found for an unknown, hostile or oversized ticket", Flaw::ChokesOnHostileTickets),
    ("empty, large and unusual data is kept", Flaw::LosesLetters),
    ("extreme numbers round-trip", Flaw::CutsNumbers),
    ("of 64 tasks on one session, each write is kept once", Flaw::UpdateInTwoSteps),
    ("64 tasks on 64 sessions do not disturb each other", Flaw::UpdateRefusesACrowd),
    ("of several renewals of one session, one succeeds", Flaw::RenewalInTwoSteps),
    ("a logout during a renewal leaves no session", Flaw::RenewalResurrects),
    ("ending all sessions of a subject misses none that is being renewed", Flaw::RenewalResurrects),
    ("a write that is given up half-way is done completely or not at all", Flaw::UpdateInTwoSteps),
    ("a lock keeps others out, but only from its own session", Flaw::LocksNobody),
    ("a sweep removes what has expired and nothing else", Flaw::SweepsTheLiving),
    ("a sweep by a clock that is ahead removes nothing that is alive", Flaw::SweepsByAnyClock),
    ("a store can be started again", Flaw::StartsAfresh),
];

#[rocket::async_test]
async fn every_clause_notices_a_store_that_breaks_it() {
    for clause in conformance::CLAUSES {
        let flaw = NOTICED_BY.iter().find(|(name, _)| *name == clause.name).map(|(_, flaw)| *flaw);
        let flaw = flaw.unwrap_or_else(|| panic!("no flaw for {clause:?}"));
        let outcome = clause.check(&Flawed::in_memory(flaw)).await;
        assert!(outcome.is_err(), "{clause:?} does not notice {flaw:?}");
    }
}

/// What hides a flaw would hide it from every test.
#[rocket::async_test]
async fn the_same_store_without_a_flaw_passes() {
    let report = conformance::check(&Flawed::in_memory(Flaw::None)).await;
    assert!(report.passed(), "{report}");
}

//! The contract of a [`Store`] as runnable checks, for anyone who writes one.
//!
//! Every server store of this library passes them; the cookie store, which keeps nothing, cannot. A store of
//! your own joins in a few lines:
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # rocket::async_test(async {
//! use sealed_sessions::{conformance, store};
//!
//! let store = store::open("memory", "__Host-session").unwrap();
//! if let Some(service) = store.service() {
//!     service.start().await.unwrap();
//! }
//! let report = conformance::check(&store).await;
//! assert!(report.passed(), "{report}");
//! # });
//! ```
//!
//! The checks use ids, subjects and times of their own, so they can run on a store that is in use. They expect
//! the text of a session's id as its ticket. Clauses about a facet that the store does not have are skipped.

mod bench;
mod clauses;

use std::sync::Arc;

use self::bench::Bench;
use self::clauses::{
    crowds, data, dead, ending, everyone, expiry, listing, locks, renewing, repeating, running, writing,
};
pub use crate::contract::{Clause, Report};
use crate::contract::{check_all, clauses};
use crate::store::Store;

clauses! {
    Arc<dyn Store>:
    "what was created is loaded, byte for byte" writing::created_is_loaded;
    "creating never overwrites" writing::creating_never_overwrites;
    "an update replaces the version it expects and no other" writing::update_replaces;
    "an update brings nothing back" writing::update_brings_nothing_back;
    "an update moves neither the last use nor the end back" writing::update_moves_no_time_back;
    "a renewal moves a session to its new id in one step" renewing::renewal_moves;
    "a stale renewal changes nothing" renewing::stale_renewal;
    "a renewal brings nothing back" renewing::renewal_brings_nothing_back;
    "a renewal to an id that is taken changes nothing" renewing::renewal_to_a_taken_id;
    "an old id is superseded for a minute, then missing" renewing::superseded_for_a_minute;
    "a renewed anonymous session stays readable under its old id" renewing::anonymous_stays_readable;
    "a renewed signed-in session leaves nothing to read" renewing::signed_in_leaves_nothing;
    "a create that is sent twice is recognised" repeating::create_twice;
    "an update that is sent twice is recognised" repeating::update_twice;
    "a renewal that is sent twice is recognised" repeating::renewal_twice;
    "a sign-in over a dead ticket supersedes it" dead::sign_in_supersedes;
    "an anonymous write over a dead ticket is kept" dead::anonymous_is_kept;
    "an anonymous write gives way to a sign-in over the same dead ticket" dead::anonymous_gives_way;
    "delete is idempotent" ending::delete_is_idempotent;
    "deleting a superseded ticket ends what its session has become" ending::delete_follows_renewals;
    "deleting a dead ticket ends what was signed in over it" ending::delete_follows_a_dead_ticket;
    "a session can be ended by the hash of its id" ending::end_by_hash;
    "all sessions of a subject but one can be ended" ending::end_all_but_one;
    "ending all sessions of a subject by a clock that is ahead misses none" ending::end_all_by_a_clock_ahead;
    "expiry is checked on every read, even before any cleanup" expiry::expiry_on_read;
    "a touch moves the last use and the end, and nothing else" expiry::touch_moves_times;
    "a late touch moves nothing back" expiry::touch_moves_nothing_back;
    "a touch revives nothing" expiry::touch_revives_nothing;
    "a clock that jumps loses no live session" expiry::jumping_clock;
    "a session is listed under its subject, even if it was anonymous first" listing::listed_by_subject;
    "a session that has ended is not listed" listing::not_listed_when_ended;
    "of everyone's sessions, those that are signed in and live are gone through" everyone::signed_in_alone;
    "a session that was renewed is gone through under its old hashes too" everyone::by_old_hashes_too;
    "what a renewed session has become is known by its old ticket" listing::successor_is_known;
    "no session is found for an unknown, hostile or oversized ticket" data::hostile_tickets;
    "empty, large and unusual data is kept" data::any_data;
    "extreme numbers round-trip" data::extreme_numbers;
    "of 64 tasks on one session, each write is kept once" crowds::many_on_one;
    "64 tasks on 64 sessions do not disturb each other" crowds::many_on_many;
    "of several renewals of one session, one succeeds" crowds::several_renewals;
    "a logout during a renewal leaves no session" crowds::delete_during_renewal;
    "ending all sessions of a subject misses none that is being renewed" crowds::end_all_during_renewal;
    "a write that is given up half-way is done completely or not at all" crowds::given_up;
    "a lock keeps others out, but only from its own session" locks::locks;
    "a sweep removes what has expired and nothing else" running::sweeping;
    "a sweep by a clock that is ahead removes nothing that is alive" running::swept_by_a_clock_ahead;
    "a store can be started again" running::started_again;
}

/// Checks every clause, one after the other.
pub async fn check(store: &Arc<dyn Store>) -> Report {
    check_all(CLAUSES, store).await
}

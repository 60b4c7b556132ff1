//! The questions that are put to every store, one file each.
//!
//! To add one: a file beside this one, its `mod` line, and its line in [`ALL`].

mod another_sites_form;
mod answer_lost;
mod clock_skew;
mod fixation;
mod growth;
mod idle_and_absolute_expiry;
mod key_rotation;
mod late_answer_after_sign_in;
mod ledger_outage;
mod logout_race;
mod long_request_and_idle;
mod lost_update;
mod one_busy_session;
mod replay_after_logout;
mod restart;
mod revocation_on_another_node;
mod rollback;
mod second_node;
mod sign_in_sent_twice;
mod store_outage;
mod tamper;
mod theft_and_log_out_everywhere;
mod who_is_signed_in;

use super::experiment::Experiment;

/// All experiments, group by group, in the order of the matrix.
pub const ALL: &[Experiment] = &[
    replay_after_logout::EXPERIMENT,
    rollback::EXPERIMENT,
    tamper::EXPERIMENT,
    theft_and_log_out_everywhere::EXPERIMENT,
    fixation::EXPERIMENT,
    logout_race::EXPERIMENT,
    another_sites_form::EXPERIMENT,
    idle_and_absolute_expiry::EXPERIMENT,
    revocation_on_another_node::EXPERIMENT,
    who_is_signed_in::EXPERIMENT,
    lost_update::EXPERIMENT,
    sign_in_sent_twice::EXPERIMENT,
    answer_lost::EXPERIMENT,
    late_answer_after_sign_in::EXPERIMENT,
    long_request_and_idle::EXPERIMENT,
    one_busy_session::EXPERIMENT,
    restart::EXPERIMENT,
    second_node::EXPERIMENT,
    store_outage::EXPERIMENT,
    ledger_outage::EXPERIMENT,
    key_rotation::EXPERIMENT,
    clock_skew::EXPERIMENT,
    growth::EXPERIMENT,
];

/// The experiment of this name.
pub fn find(slug: &str) -> Option<&'static Experiment> {
    ALL.iter().find(|experiment| experiment.slug == slug)
}

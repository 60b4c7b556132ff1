//! The questions that are put to every store, one file each.
//!
//! To add one: a file beside this one, its `mod` line, and its line in [`ALL`].

mod clock_skew;
mod fixation;
mod growth;
mod idle_and_absolute_expiry;
mod key_rotation;
mod logout_race;
mod lost_update;
mod replay_after_logout;
mod restart;
mod rollback;
mod second_node;
mod store_outage;
mod tamper;
mod theft_and_log_out_everywhere;
mod who_is_signed_in;

use super::experiment::Experiment;

/// All experiments, in the order of the matrix.
pub const ALL: &[Experiment] = &[
    replay_after_logout::EXPERIMENT,
    rollback::EXPERIMENT,
    lost_update::EXPERIMENT,
    tamper::EXPERIMENT,
    theft_and_log_out_everywhere::EXPERIMENT,
    fixation::EXPERIMENT,
    logout_race::EXPERIMENT,
    idle_and_absolute_expiry::EXPERIMENT,
    restart::EXPERIMENT,
    second_node::EXPERIMENT,
    store_outage::EXPERIMENT,
    key_rotation::EXPERIMENT,
    growth::EXPERIMENT,
    who_is_signed_in::EXPERIMENT,
    clock_skew::EXPERIMENT,
];

/// The experiment of this name.
pub fn find(slug: &str) -> Option<&'static Experiment> {
    ALL.iter().find(|experiment| experiment.slug == slug)
}

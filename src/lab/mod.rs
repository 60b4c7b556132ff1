//! The lab: the same experiments on every store, each on private servers with a clock of their own, and a
//! load test over real HTTP. A verdict is computed from what happened.
//!
//! - `experiments` asks the questions, one file each.
//! - `bench` is what they run on: small servers, browsers, clocks and watched stores.
//! - [`load`] drives each store over HTTP and reports what sessions cost.

mod advice;
mod bench;
pub mod command;
mod experiment;
mod experiments;
pub mod load;
mod matrix;
mod needs;
mod progress;
mod quiet;
mod run;
mod table;

pub use self::advice::{Advice, advise};
pub use self::bench::{Column, Exchange, Measurements, configured};
pub use self::experiment::{Experiment, Group, Outcome, Verdict};
pub use self::experiments::{ALL, find};
pub use self::matrix::{json, shown, text};
pub use self::needs::{Fit, NEEDS, Need, fits};
pub use self::quiet::{apart, is_experiment};
pub use self::run::{Row, answers, run};
pub(crate) use self::table::columns_of_figures;

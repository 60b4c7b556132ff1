//! What a session costs on one store, in three figures.

use super::measure::Spread;
use super::report::{AtRest, Report};
use super::view::{bytes_at_rest, grouped, median_of};

/// The figures of one store, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    /// Requests of the read-heavy mix for each second of the server's processor time; `None` where the system does not
    /// tell it.
    pub requests: Option<String>,
    /// Bytes of a request of that mix and its answer.
    pub bytes: String,
    /// Bytes on the server for each session, and of what; `None` if that was not measured.
    pub at_rest: Option<(String, String)>,
}

impl Costs {
    /// What the run measured on this store; `None` if it did not drive it.
    pub fn of(report: &Report, store: &str) -> Option<Costs> {
        let driven = report.stores.iter().find(|driven| driven.store == store)?;
        let mix = driven.mixes.iter().find(|mix| mix.mix == "read-heavy")?;
        Some(Costs {
            requests: mix.server_cpu_micros.as_ref().and_then(for_a_core),
            bytes: grouped(mix.bytes_up + mix.bytes_down),
            at_rest: driven.at_rest.as_ref().map(at_rest),
        })
    }
}

/// What a core answers in a second, from the microseconds of a request.
fn for_a_core(micros: &Spread) -> Option<String> {
    let [median, least, most] = [micros.median, micros.most, micros.least].map(|micros| 1e6 / micros);
    most.is_finite().then(|| median_of(&Spread { median, least, most }))
}

fn at_rest(at_rest: &AtRest) -> (String, String) {
    let of_what = if at_rest.is_nothing() { String::new() } else { at_rest.place.clone() };
    (bytes_at_rest(at_rest), of_what)
}

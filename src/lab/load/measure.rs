//! The figures of one mix, and where they come from.

use std::collections::BTreeMap;
use std::fs;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::client::Seen;

/// The unit of the times in `/proc/PID/stat`: Linux shows hundredths of a second to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// What was measured over one mix of requests, in all rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    /// Which mix of requests.
    pub mix: String,
    /// How many requests were answered.
    pub requests: u64,
    /// How many of them had another status than 200, or another count than that of the visitor's session.
    pub failures: u64,
    /// For how long, all rounds together.
    pub seconds: f64,
    /// Of each round, its requests by its seconds.
    pub requests_per_second: Spread,
    /// From the request's first byte to the answer's last, over all rounds.
    pub latency: Latency,
    /// User and system time of the servers per request, in microseconds; `None` if the system does not tell.
    pub server_cpu_micros: Option<Spread>,
    /// How many cores the servers used: their processor time by the seconds. More than one for each server where
    /// the database is in it and has threads of its own.
    pub server_cores: Option<Spread>,
    /// The share of one core that the driver used in the round in which it used most: near 1, the driver was the
    /// bottleneck, not the server.
    pub driver_busy: Option<f64>,
    /// Bytes on the wire to the server, per request.
    pub bytes_up: f64,
    /// Bytes on the wire from the server, per request.
    pub bytes_down: f64,
    /// Operations of the store per request, by name; those that did not occur are omitted.
    pub store_operations: BTreeMap<String, f64>,
}

/// What one round of a mix measured.
pub(super) struct Round {
    pub(super) seen: Seen,
    pub(super) seconds: f64,
    /// Processor time of the servers and of the driver, in seconds.
    pub(super) server_cpu: Option<f64>,
    pub(super) driver_cpu: Option<f64>,
    /// To the servers, and from them.
    pub(super) bytes: (u64, u64),
    pub(super) operations: BTreeMap<String, u64>,
}

impl Round {
    fn requests(&self) -> f64 {
        self.seen.times.len().max(1) as f64
    }
}

impl Figures {
    /// Of some rounds.
    ///
    /// # Errors
    /// When there are none.
    pub(super) fn of(mix: &str, rounds: &[Round]) -> Result<Figures, String> {
        let mut seen = Seen::nothing()?;
        let mut operations: BTreeMap<String, u64> = BTreeMap::new();
        for round in rounds {
            seen.add(&round.seen)?;
            for (name, count) in &round.operations {
                *operations.entry(name.clone()).or_default() += count;
            }
        }
        let requests = seen.times.len();
        let each = |total: u64| total as f64 / requests.max(1) as f64;
        let bytes = |of: fn(&Round) -> u64| round(each(rounds.iter().map(of).sum()));
        let spread = |of: &dyn Fn(&Round) -> Option<f64>| {
            Spread::of(rounds.iter().map(of).collect::<Option<Vec<f64>>>()?)
        };
        let rates = spread(&|one| Some(one.seen.times.len() as f64 / one.seconds));
        Ok(Figures {
            mix: mix.to_owned(),
            requests,
            failures: seen.failures,
            seconds: round(rounds.iter().map(|round| round.seconds).sum()),
            requests_per_second: rates.ok_or("there must be a round at least")?,
            latency: Latency::of(&seen.times),
            server_cpu_micros: spread(&|one| Some(one.server_cpu? * 1e6 / one.requests())),
            server_cores: spread(&|one| Some(one.server_cpu? / one.seconds)),
            driver_busy: spread(&|one| Some(one.driver_cpu? / one.seconds)).map(|spread| round(spread.most)),
            bytes_up: bytes(|one| one.bytes.0),
            bytes_down: bytes(|one| one.bytes.1),
            store_operations: operations
                .into_iter()
                .map(|(name, count)| (name, (each(count) * 1000.0).round() / 1000.0))
                .filter(|(_, count)| *count > 0.0)
                .collect(),
        })
    }
}

/// A figure of several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the rounds had no more.
    pub median: f64,
    /// The least of any round.
    pub least: f64,
    /// The most of any round.
    pub most: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(super) fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let count = values.len();
        let (low, high) = (*values.get((count - 1) / 2)?, *values.get(count / 2)?);
        Some(Spread { median: f64::midpoint(low, high), least, most })
    }
}

/// A distribution of times in microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the requests took no longer.
    pub p50: f64,
    /// Nine of ten took no longer.
    pub p90: f64,
    /// 99 of a hundred took no longer.
    pub p99: f64,
    /// 999 of a thousand took no longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// Shares below 1, each with the time within which that share was answered.
    pub curve: Vec<(f64, f64)>,
}

impl Latency {
    /// Of a histogram in nanoseconds.
    pub(super) fn of(histogram: &Histogram<u64>) -> Latency {
        let at = |share: f64| round(histogram.value_at_quantile(share) as f64 / 1000.0);
        // Even steps of the axis that the plot has: its place is 1 / (1 - share), on a log scale.
        let shares = (0..=30).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 10.0));
        Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: round(histogram.max() as f64 / 1000.0),
            curve: shares.map(|share| (share, at(share))).collect(),
        }
    }
}

/// Rounds to two decimals.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The processor time that a process has used, in seconds.
pub(super) fn cpu_seconds(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything: the fields are counted from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

/// The memory of a process that is in RAM, in bytes.
pub(super) fn resident_bytes(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_the_least_and_the_most() {
        let spread = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[9.0, 1.0, 4.0]), Some(Spread { median: 4.0, least: 1.0, most: 9.0 }));
        assert_eq!(spread(&[2.0, 4.0]), Some(Spread { median: 3.0, least: 2.0, most: 4.0 }));
    }
}

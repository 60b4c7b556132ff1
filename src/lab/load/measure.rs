//! The figures of one mix, and where they come from.

use std::collections::BTreeMap;
use std::fs;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The unit of the times in `/proc/PID/stat`: Linux shows hundredths of a second to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// What was measured over one mix of requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    /// Which mix of requests.
    pub mix: String,
    /// How many requests were answered.
    pub requests: u64,
    /// How many of them had another status than 200.
    pub failures: u64,
    /// For how long.
    pub seconds: f64,
    /// `requests` by `seconds`.
    pub requests_per_second: f64,
    /// From the request's first byte to the answer's last.
    pub latency: Latency,
    /// User and system time of the server per request; `None` if the system does not tell.
    pub server_cpu_micros: Option<f64>,
    /// The share of one core that the driver used: near 1, the driver was the bottleneck, not the server.
    pub driver_busy: Option<f64>,
    /// Bytes on the wire to the server, per request.
    pub bytes_up: f64,
    /// Bytes on the wire from the server, per request.
    pub bytes_down: f64,
    /// Operations of the store per request, by name; those that did not occur are omitted.
    pub store_operations: BTreeMap<String, f64>,
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

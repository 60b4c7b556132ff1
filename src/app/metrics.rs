//! What is counted of sessions, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use sealed_sessions::events::{Event, Kind, Listener};

/// The upper ends of the histogram's buckets, in seconds: from what memory takes to what nobody waits for.
const BUCKETS: [f64; 12] =
    [0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 2.5];

/// Counts the events of sessions. Clones count together.
#[derive(Clone)]
pub(super) struct Metrics {
    events: Family<EventLabels, Counter>,
    sealed: Family<RealmLabel, Counter>,
    calls: Family<CallLabels, Histogram>,
    ledger_age: Family<RealmLabel, Gauge>,
    seals: Family<RealmLabel, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RealmLabel {
    realm: String,
}

/// The reason is empty where an event has none. Both are one of a few words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    realm: String,
    event: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    realm: String,
    call: &'static str,
}

impl Metrics {
    /// The metrics, and what writes them down.
    pub(super) fn new() -> (Metrics, Registry) {
        let calls = || Histogram::new(BUCKETS);
        let metrics = Metrics {
            events: Family::default(),
            sealed: Family::default(),
            calls: Family::new_with_constructor(calls),
            ledger_age: Family::default(),
            seals: Family::default(),
        };
        let mut registry = Registry::with_prefix("sealed_sessions");
        registry.register("events", "What has happened to sessions, by reason", metrics.events.clone());
        registry.register_with_unit(
            "sealed",
            "The length of the Set-Cookie lines of sessions",
            Unit::Bytes,
            metrics.sealed.clone(),
        );
        registry.register_with_unit(
            "call_duration",
            "How long the store or the ledger took to answer",
            Unit::Seconds,
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "ledger_age",
            "How old what this process knows of the ledger was when it last looked",
            Unit::Seconds,
            metrics.ledger_age.clone(),
        );
        registry.register(
            "key_seals",
            "How often this process has sealed with the key in use; all processes together may do so 2^32 times",
            metrics.seals.clone(),
        );
        (metrics, registry)
    }
}

impl Listener for Metrics {
    fn hear(&self, event: &Event<'_>) {
        let realm = event.realm().to_owned();
        let kind = event.kind();
        match kind {
            Kind::Called { call, took } => {
                let labels = CallLabels { realm, call: call.name() };
                self.calls.get_or_create(&labels).observe(took.as_secs_f64());
            }
            Kind::LedgerAge(age) => {
                if let Some(age) = age.and_then(|age| i64::try_from(age).ok()) {
                    self.ledger_age.get_or_create(&RealmLabel { realm }).set(age);
                }
            }
            Kind::Sealed { bytes, seals } => {
                let label = RealmLabel { realm };
                self.sealed.get_or_create(&label).inc_by(bytes.try_into().unwrap_or(u64::MAX));
                self.seals.get_or_create(&label).set(seals.try_into().unwrap_or(i64::MAX));
            }
            _ => {
                let reason = kind.reason().unwrap_or_default();
                self.events.get_or_create(&EventLabels { realm, event: kind.name(), reason }).inc();
            }
        }
    }
}

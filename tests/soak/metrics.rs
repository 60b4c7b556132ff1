//! Whether a process has counted what its visitors have seen it do.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// What is compared, by the labels of its metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    SignIn,
    SignOut,
    Confirmation,
}

impl Deed {
    fn labels(self, realm: &str) -> String {
        let (event, reason) = match self {
            Deed::SignIn => ("signed_in", ""),
            Deed::SignOut => ("ended", "visitor"),
            Deed::Confirmation => ("reauthenticated", ""),
        };
        format!("{{realm=\"{realm}\",event=\"{event}\",reason=\"{reason}\"}}")
    }
}

/// How often it was done: so often at the least, and so often more at the most, since the answer did not come.
#[derive(Debug, Default, Clone, Copy)]
struct Bounds {
    acknowledged: u64,
    unsure: u64,
}

/// What the visitors of one process have seen it do since its start.
#[derive(Default)]
pub struct Seen(Mutex<BTreeMap<(&'static str, Deed), Bounds>>);

impl Seen {
    pub fn add(&self, realm: &'static str, deed: Deed, is_acknowledged: bool) {
        let mut all = self.0.lock().unwrap();
        let bounds = all.entry((realm, deed)).or_default();
        if is_acknowledged {
            bounds.acknowledged += 1;
        } else {
            bounds.unsure += 1;
        }
    }

    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Where the process has counted something else.
    pub fn problems(&self, metrics: &str) -> Vec<String> {
        let all = self.0.lock().unwrap();
        let problem = |(&(realm, deed), bounds): (&(&'static str, Deed), &Bounds)| {
            let metric = format!("sealed_sessions_events_total{}", deed.labels(realm));
            let counted: u64 =
                metrics.lines().find_map(|line| line.strip_prefix(&metric)?.trim().parse().ok()).unwrap_or(0);
            let expected = bounds.acknowledged..=bounds.acknowledged + bounds.unsure;
            (!expected.contains(&counted)).then(|| format!("{metric}: expected {expected:?}, got {counted}"))
        };
        all.iter().filter_map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_to_count_what_was_acknowledged_and_no_more_than_was_tried() {
        let seen = Seen::default();
        for is_acknowledged in [true, true, false] {
            seen.add("/stateful", Deed::SignOut, is_acknowledged);
        }
        for (counted, is_fine) in [(1, false), (2, true), (3, true), (4, false)] {
            let labels = "{realm=\"/stateful\",event=\"ended\",reason=\"visitor\"}";
            let metrics = format!("sealed_sessions_events_total{labels} {counted}\n");
            assert_eq!(seen.problems(&metrics).is_empty(), is_fine, "{counted}");
        }
        assert!(!seen.problems("# EOF\n").is_empty());
    }
}

//! What was away when, and which failures that explains.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use crate::settings::{REVOCABLE, STATEFUL};

/// How long after its end an outage still explains a failure: what the app's `Retry-After` promises.
pub const GRACE: Duration = Duration::from_secs(5);

/// What is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Redis, which holds the sessions of `/stateful`.
    Store,
    /// PostgreSQL, which holds the ledger of `/revocable`.
    Ledger,
    /// A process of the app.
    Process(usize),
}

/// How a request has failed.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// The answer was a 503 of this realm.
    Unavailable(&'static str),
    /// This process gave no answer, or not all of it.
    NoAnswer(usize),
}

impl Part {
    fn explains(self, failure: Failure) -> bool {
        match (self, failure) {
            (Part::Store, Failure::Unavailable(realm)) => realm == STATEFUL,
            (Part::Ledger, Failure::Unavailable(realm)) => realm == REVOCABLE,
            (Part::Process(killed), Failure::NoAnswer(process)) => killed == process,
            _ => false,
        }
    }
}

/// A span of time in which something was away. All times are those of the run.
struct Outage {
    name: &'static str,
    part: Part,
    from: Duration,
    until: Option<Duration>,
    failures: u64,
}

impl Outage {
    /// Whether any of the time between the two was in it.
    fn overlaps(&self, begun: Duration, ended: Duration) -> bool {
        ended >= self.from && self.until.is_none_or(|until| begun <= until + GRACE)
    }
}

/// All of them.
#[derive(Default)]
pub struct Outages(Mutex<Vec<Outage>>);

impl Outages {
    pub fn begin(&self, name: &'static str, part: Part, from: Duration) {
        self.0.lock().unwrap().push(Outage { name, part, from, until: None, failures: 0 });
    }

    /// Ends the one that began last.
    pub fn end(&self, until: Duration) {
        if let Some(last) = self.0.lock().unwrap().last_mut() {
            last.until = Some(until);
        }
    }

    /// Whether one of them explains the failure of a request that was under way between these times. Counts it at the
    /// last one that does.
    pub fn explain(&self, failure: Failure, begun: Duration, ended: Duration) -> bool {
        let mut outages = self.0.lock().unwrap();
        let found = outages
            .iter_mut()
            .rev()
            .find(|outage| outage.part.explains(failure) && outage.overlaps(begun, ended));
        found.map(|outage| outage.failures += 1).is_some()
    }

    /// Whether this part was away at any time between these.
    pub fn was_away(&self, part: Part, begun: Duration, ended: Duration) -> bool {
        self.0.lock().unwrap().iter().any(|outage| outage.part == part && outage.overlaps(begun, ended))
    }
}

/// A row for each of them: when it was, and how many failures it explains.
impl fmt::Display for Outages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outage { name, part, from, until, failures } in self.0.lock().unwrap().iter() {
            let what = if matches!(part, Part::Process(_)) { "no answer" } else { "503" };
            let length = until.map_or(0.0, |until| (until - *from).as_secs_f64());
            writeln!(f, "| {name}, {length:.1} s: {what} | {failures} |")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::STATELESS;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn from_10_to_20(part: Part) -> Outages {
        let outages = Outages::default();
        outages.begin("away", part, seconds(10));
        outages.end(seconds(20));
        outages
    }

    #[test]
    fn a_503_is_explained_by_an_outage_of_what_its_realm_needs_and_by_no_other() {
        let is_explained =
            |part, realm| from_10_to_20(part).explain(Failure::Unavailable(realm), seconds(12), seconds(13));
        assert!(is_explained(Part::Store, STATEFUL) && is_explained(Part::Ledger, REVOCABLE));
        for (part, realm) in [
            (Part::Store, REVOCABLE),
            (Part::Ledger, STATEFUL),
            (Part::Store, STATELESS),
            (Part::Ledger, STATELESS),
            (Part::Process(0), STATEFUL),
        ] {
            assert!(!is_explained(part, realm), "{part:?} {realm}");
        }
    }

    #[test]
    fn a_503_before_an_outage_or_later_than_its_grace_is_not_explained() {
        let is_explained = |begun, ended| {
            let failure = Failure::Unavailable(STATEFUL);
            from_10_to_20(Part::Store).explain(failure, seconds(begun), seconds(ended))
        };
        assert!(is_explained(9, 11) && is_explained(24, 26));
        assert!(!is_explained(8, 9) && !is_explained(26, 27));
    }

    #[test]
    fn only_the_process_that_was_killed_may_leave_a_request_without_an_answer() {
        let outages = from_10_to_20(Part::Process(1));
        assert!(outages.explain(Failure::NoAnswer(1), seconds(15), seconds(15)));
        assert!(!outages.explain(Failure::NoAnswer(0), seconds(15), seconds(15)));
        assert!(!outages.explain(Failure::Unavailable(STATEFUL), seconds(15), seconds(15)));
    }
}

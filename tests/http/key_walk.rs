//! A new key on two processes that are restarted one after the other while browsers go on asking both.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use world::{Answer, Jar, Server, program, wait_for};

const A: &str = "YSBrZXksIHRoZSBmaXJzdCBvZiB0aGVzZSB0d28ga2U=";
const B: &str = "YiBrZXksIHRoZSBvdGhlciBvZiB0aGVzZSB0d28ga2U=";

/// The key that seals, and one that only opens.
type Keys = (&'static str, Option<&'static str>);

const OLD: Keys = (A, None);
const FIRST: Keys = (A, Some(B));
const SECOND: Keys = (B, Some(A));
const NEW: Keys = (B, None);

const BROWSERS: u64 = 4;
/// How many visits are waited for between two restarts.
const VISITS: u64 = 5 * BROWSERS;

/// Two processes behind a load balancer, which sends nothing to one that is being restarted.
struct Site([RwLock<Option<Server>>; 2]);

impl Site {
    /// A visit to this server, or to the other one if this one is not there.
    fn visit(&self, jar: &mut Jar, number: usize) -> Answer {
        for number in number.. {
            if let Ok(server) = self.0[number % 2].try_read()
                && let Some(server) = &*server
            {
                return server.get(jar, "/stateless");
            }
        }
        unreachable!("one of them is always there")
    }

    /// Restarts a server once it has answered what it was asked.
    fn restart(&self, number: usize, settings: &Settings) {
        let mut server = self.0[number].write().unwrap();
        *server = server.take().map(|server| server.restart(&settings.variables()));
    }
}

struct Settings {
    key: &'static str,
    session: String,
}

impl Settings {
    fn new((key, other): Keys, more: &str) -> Settings {
        let previous = other.map(|key| format!("{key:?}")).unwrap_or_default();
        Settings { key, session: format!("{{previous_keys=[{previous}]{more}}}") }
    }

    fn variables(&self) -> [(&str, &str); 2] {
        [("ROCKET_SECRET_KEY", self.key), ("ROCKET_SESSION", &self.session)]
    }
}

/// What the browsers have counted.
#[derive(Default)]
struct Count {
    visits: AtomicU64,
    lost: AtomicU64,
    is_over: AtomicBool,
}

impl Count {
    /// Visits one server after the other. A session is lost when its count does not go on.
    fn browse(&self, site: &Site, first: usize) {
        let (mut jar, mut known) = (Jar::default(), 0);
        for number in first.. {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let answer = site.visit(&mut jar, number);
            let count = answer.output("visits").and_then(|count| count.parse().ok()).unwrap_or(0);
            if count != known + 1 {
                self.lost.fetch_add(1, Ordering::SeqCst);
            }
            known = count;
            self.visits.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn wait_for_visits(&self) {
        let enough = self.visits.load(Ordering::SeqCst) + VISITS;
        wait_for("the browsers", || (self.visits.load(Ordering::SeqCst) >= enough).then_some(()));
    }
}

/// Ends the browsers, also when a wait has failed.
struct Ends<'c>(&'c Count);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }
}

/// Takes two servers through these keys, one after the other. Returns how many sessions were lost on the way.
fn lost_in(rounds: &[Keys], more: &str) -> u64 {
    let old = Settings::new(OLD, more);
    let start = || RwLock::new(Some(program!().start(&old.variables())));
    let (site, count) = (Site([start(), start()]), Count::default());
    thread::scope(|scope| {
        let _ends = Ends(&count);
        for first in 0..BROWSERS as usize {
            let (site, count) = (&site, &count);
            scope.spawn(move || count.browse(site, first));
        }
        count.wait_for_visits();
        for keys in rounds {
            for number in 0..2 {
                site.restart(number, &Settings::new(*keys, more));
                count.wait_for_visits();
            }
        }
    });
    count.lost.load(Ordering::SeqCst)
}

const ROLLING: &str = ",key_rollover=\"10 minutes\"";

#[test]
fn two_processes_take_a_new_key_under_load_and_lose_no_session() {
    assert_eq!(lost_in(&[FIRST, SECOND, NEW], ""), 0);
}

#[test]
fn two_processes_whose_keys_roll_over_take_a_new_one_under_load_and_lose_no_session() {
    assert_eq!(lost_in(&[FIRST, SECOND, NEW], ROLLING), 0);
}

#[test]
fn under_load_sessions_are_lost_without_the_first_round() {
    assert!(lost_in(&[SECOND], ROLLING) > 0);
}

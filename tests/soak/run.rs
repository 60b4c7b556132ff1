//! One run: visitors come, what goes wrong goes wrong, and everything is looked at in the end.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use world::{databases, program};

use crate::copies::{Copies, KNOWN_AFTER};
use crate::findings::Findings;
use crate::keyholder::Keyholders;
use crate::outages::Outages;
use crate::report::Report;
use crate::script::Script;
use crate::settings::{A, KEYS, Keys, Settings};
use crate::site::{PROCESSES, Site};
use crate::tally::Tally;
use crate::visitor::Visitor;

/// How many lines of each log are shown when a rule was broken.
const MAX_COMPLAINTS: usize = 1000;

/// What all visitors share.
pub struct Run {
    pub site: Site,
    pub outages: Outages,
    pub copies: Copies,
    pub keyholders: Keyholders,
    pub findings: Findings,
    begun: Instant,
    pub is_over: AtomicBool,
    /// How often all visitors were called to come by, and how many have followed the last call.
    pub calls: AtomicUsize,
    pub came_by: AtomicUsize,
}

impl Run {
    fn new(site: Site) -> Run {
        Run {
            site,
            outages: Outages::default(),
            copies: Copies::default(),
            keyholders: Keyholders::of(&KEYS),
            findings: Findings::default(),
            begun: Instant::now(),
            is_over: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            came_by: AtomicUsize::new(0),
        }
    }

    /// The time since the visitors were there.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Ends the visitors, also when the script has failed.
struct Ends<'r>(&'r Run);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, SeqCst);
    }
}

/// Runs it where Redis and PostgreSQL are installed.
///
/// # Panics
/// When something broke a rule.
pub fn soak(visitors: usize, length: Duration) {
    let (Some(mut redis), Some(mut postgres)) = (databases::redis(), databases::postgres()) else { return };
    // So that what was acknowledged survives a kill.
    redis.restart_with(&["--appendfsync", "always"]);
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        program: program!(),
        data_dir: data.path().to_str().unwrap().to_owned(),
        store: redis.url(),
        ledger: postgres.url(),
    };
    let run = &Run::new(Site::start(settings, Keys { seals: A, opens: None }));
    let crowd = at_once((0..visitors).collect(), |number| Visitor::arrive(run, number));
    let begun = run.now();
    println!("{:8.2} s  {visitors} visitors have made an account", begun.as_secs_f64());
    let script = Script { run, visitors, redis: &mut redis, postgres: &mut postgres, begun, length };
    let (keys, mut crowd) = thread::scope(|scope| {
        let browsing = scope.spawn(|| at_once(crowd, Visitor::browsed));
        let sampling = scope.spawn(|| sample(run));
        let keys = {
            let _ends = Ends(run);
            script.play()
        };
        sampling.join().unwrap();
        (keys, browsing.join().unwrap())
    });
    let seconds = (run.now() - begun).as_secs_f64();
    let mut tally = Tally::default();
    crowd.iter_mut().for_each(|visitor| tally.add(visitor.tally()));
    let audited = audit(run, crowd);
    println!("{}", Report { run, visitors, seconds, keys, tally, audited });
    if run.findings.count() > 0 {
        for process in 0..PROCESSES {
            println!("process {process} said:\n{}", run.site.complaints(process, MAX_COMPLAINTS).join("\n"));
        }
    }
    assert_eq!(run.findings.count(), 0, "so often a rule was broken");
}

/// Takes down the memory of the processes, second by second.
fn sample(run: &Run) {
    while !run.is_over.load(SeqCst) {
        run.site.sample();
        sleep(Duration::from_secs(1));
    }
}

/// Looks at every process whether it still knows all that was acknowledged. Returns how many copies were answered.
fn audit(run: &Run, crowd: Vec<Visitor<'_>>) -> u64 {
    // Until the last logout has to be known everywhere.
    sleep(KNOWN_AFTER);
    let visitors = crowd.len();
    let audited = at_once(crowd, |visitor| visitor.audited(visitors).replays);
    for process in 0..PROCESSES {
        let mut problems = run.site.problems(process);
        let held = run.site.memory(process).held();
        if held.is_some_and(|held| held.is_flat() == Some(false)) {
            problems.push("its memory grows".to_owned());
        }
        for problem in problems {
            run.findings.tell(run.now(), format!("process {process}: {problem}"));
        }
    }
    audited.into_iter().sum()
}

/// Does it for all of these at the same time.
fn at_once<A: Send, B: Send>(all: Vec<A>, what: impl Fn(A) -> B + Sync) -> Vec<B> {
    let what = &what;
    thread::scope(|scope| {
        let threads: Vec<_> = all.into_iter().map(|one| scope.spawn(move || what(one))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

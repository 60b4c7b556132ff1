//! What goes wrong, one thing after the other.

use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::Duration;

use world::databases::Database;
use world::wait_for;

use crate::outages::Part;
use crate::run::Run;
use crate::settings::{A, B, C, Keys};
use crate::site::PROCESSES;

/// From this length on the keys are replaced twice, and what is away stays away for long.
const LONG: Duration = Duration::from_secs(300);

/// The processes, their databases, and how long all of it takes at the least.
pub struct Script<'s> {
    pub run: &'s Run,
    pub visitors: usize,
    pub redis: &'s mut Database,
    pub postgres: &'s mut Database,
    /// When it begins.
    pub begun: Duration,
    pub length: Duration,
}

impl Script<'_> {
    /// What restarts processes comes first, so that each of them then lives long enough to show whether its memory
    /// grows. The last fifth is calm. Returns how many keys were replaced.
    pub fn play(mut self) -> usize {
        let is_long = self.length >= LONG;
        self.wait_until(0.02);
        self.replace_key(A, B);
        self.wait_until(0.18);
        self.lose_a_process(B, if is_long { 5.0 } else { 2.0 });
        if is_long {
            self.wait_until(0.22);
            self.replace_key(B, C);
        }
        self.wait_until(0.4);
        self.lose_redis(if is_long { 10.0 } else { 3.0 });
        self.wait_until(0.5);
        // Longer than `revocation_max_age`, if there is time.
        self.hang_the_ledger(if is_long { 20.0 } else { self.length.as_secs_f64() / 5.0 });
        self.wait_until(0.7);
        self.lose_the_ledger(if is_long { 8.0 } else { 3.0 });
        self.wait_until(1.0);
        if is_long { 2 } else { 1 }
    }

    /// In three rounds, as docs/keys.md says. In place of the longest idle timeout it waits until every visitor has come
    /// by.
    fn replace_key(&mut self, old: &'static str, new: &'static str) {
        self.round("can open the new key", Keys { seals: old, opens: Some(new) });
        self.round("seals with the new key", Keys { seals: new, opens: Some(old) });
        self.run.came_by.store(0, SeqCst);
        self.run.calls.fetch_add(1, SeqCst);
        wait_for("every visitor to come by", || {
            (self.run.came_by.load(SeqCst) == self.visitors).then_some(())
        });
        self.say("every visitor has come by");
        self.round("has the new key alone", Keys { seals: new, opens: None });
        self.run.copies.lose(old);
    }

    fn round(&self, what: &str, keys: Keys) {
        for process in 0..PROCESSES {
            for problem in self.run.site.restart(process, keys) {
                self.run.findings.tell(self.run.now(), format!("process {process}: {problem}"));
            }
            self.say(format!("process {process} {what}"));
        }
    }

    fn lose_a_process(&mut self, key: &'static str, seconds: f64) {
        self.begin("a process is killed", Part::Process(0));
        self.run.site.kill(0);
        sleep(Duration::from_secs_f64(seconds));
        self.run.site.revive(0, Keys { seals: key, opens: None });
        self.end();
    }

    fn lose_redis(&mut self, seconds: f64) {
        self.begin("Redis is killed", Part::Store);
        self.redis.kill();
        sleep(Duration::from_secs_f64(seconds));
        self.redis.restart();
        self.end();
    }

    fn hang_the_ledger(&mut self, seconds: f64) {
        self.begin("the ledger hangs", Part::Ledger);
        self.postgres.pause();
        sleep(Duration::from_secs_f64(seconds));
        self.postgres.resume();
        self.end();
    }

    fn lose_the_ledger(&mut self, seconds: f64) {
        self.begin("the ledger is killed", Part::Ledger);
        self.postgres.kill();
        sleep(Duration::from_secs_f64(seconds));
        self.postgres.restart();
        self.end();
    }

    fn begin(&self, what: &'static str, part: Part) {
        self.run.outages.begin(what, part, self.run.now());
        self.say(what);
    }

    fn end(&self) {
        self.run.outages.end(self.run.now());
        self.say("it is back");
    }

    fn wait_until(&self, share: f64) {
        sleep((self.begun + self.length.mul_f64(share)).saturating_sub(self.run.now()));
    }

    fn say(&self, what: impl std::fmt::Display) {
        println!("{:8.2} s  {what}", self.run.now().as_secs_f64());
    }
}

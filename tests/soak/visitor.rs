//! A visitor, who remembers what was acknowledged and looks whether it still holds.

use std::fmt::Display;
use std::mem;
use std::sync::atomic::Ordering::SeqCst;

use world::{Answer, Jar};

use crate::asker::{Asker, Heard, Request};
use crate::copies::Copy;
use crate::run::Run;
use crate::settings::{REALMS, STATEFUL};
use crate::site::PROCESSES;
use crate::stay::{Goal, Stay, Who, signed_in_as};
use crate::tally::Tally;

/// How often something is tried again that has to be acknowledged in the end.
const MAX_TRIES: usize = 100;

pub struct Visitor<'r> {
    pub(super) run: &'r Run,
    pub(super) number: usize,
    pub(super) asker: Asker<'r>,
    pub(super) jar: Jar,
    /// The account to sign in with.
    pub(super) account: String,
    /// One for each realm.
    pub(super) stays: Vec<Stay>,
    pub(super) accounts: usize,
    /// How many of the calls to come by were followed.
    calls: usize,
}

impl<'r> Visitor<'r> {
    /// A visitor who has made an account in one of the realms.
    pub fn arrive(run: &'r Run, number: usize) -> Visitor<'r> {
        let asker = Asker::new(run, number);
        let stays: Vec<Stay> = REALMS.into_iter().map(Stay::new).collect();
        let (jar, account) = (Jar::default(), String::new());
        let mut visitor = Visitor { run, number, asker, jar, account, stays, accounts: 0, calls: 0 };
        let at = number % REALMS.len();
        visitor.register(at);
        visitor.settle(at);
        // Only what comes now is measured.
        visitor.asker.tally = Tally::default();
        visitor
    }

    /// The visitor after having done one thing after the other until the run was over.
    pub fn browsed(mut self) -> Visitor<'r> {
        while !self.run.is_over.load(SeqCst) {
            if self.run.calls.load(SeqCst) > self.calls {
                self.come_by();
            } else {
                self.do_something();
            }
        }
        for at in 0..REALMS.len() {
            self.settle(at);
        }
        self
    }

    /// What the visitor has done since this was last asked.
    pub fn tally(&mut self) -> Tally {
        mem::take(&mut self.asker.tally)
    }

    fn do_something(&mut self) {
        let at = self.asker.dice.below(REALMS.len());
        let choice = self.asker.dice.below(1000);
        match (self.stays[at].who.clone(), choice) {
            (Who::Unsure(goal), _) => self.try_again(at, goal),
            (_, 0..200) => self.look_at_profile(at, None),
            (_, 200..250) => self.open_protected_page(at),
            (_, 250..300) => self.replay(),
            (Who::Nobody, 300..318) => self.sign_in(at),
            (Who::Nobody, 318..320) => self.register(at),
            (Who::Nobody, 320..322) => self.mistype(at),
            (Who::Account(name), 300..308) => self.sign_out(at, name),
            (Who::Account(name), 308..310) => self.confirm(at, name),
            _ => drop(self.visit(at)),
        }
    }

    fn try_again(&mut self, at: usize, goal: Goal) {
        match goal {
            Goal::Register(account) => self.register_as(at, account),
            Goal::SignIn => self.sign_in(at),
            Goal::SignOut(name) => self.sign_out(at, name),
            Goal::Confirm(name) => self.confirm_again(at, name),
        }
    }

    /// Gets every answer that is still missing.
    fn settle(&mut self, at: usize) {
        for _ in 0..MAX_TRIES {
            match self.stays[at].who.clone() {
                Who::Unsure(goal) => self.try_again(at, goal),
                _ => return,
            }
        }
        let now = self.run.now();
        self.run
            .findings
            .tell(now, format!("visitor {}: {:?} is never done", self.number, self.stays[at].who));
    }

    /// Uses each session once, so that the key in use seals it.
    fn come_by(&mut self) {
        for at in 0..REALMS.len() {
            while self.visit(at).is_none() && !self.run.is_over.load(SeqCst) {}
        }
        self.calls += 1;
        self.run.came_by.fetch_add(1, SeqCst);
    }

    /// Asks for the page that counts visits, and returns it.
    pub(super) fn visit(&mut self, at: usize) -> Option<(Heard, Answer)> {
        let mut heard = self.ask(at, "", None);
        let Some(page) = heard.answer.take() else {
            if self.stays[at].realm == STATEFUL {
                self.stays[at].miss_a_visit();
            }
            return None;
        };
        let shown = page.output("visits").and_then(|count| count.parse().ok());
        let Some(shown) = shown.filter(|_| page.status == 200) else {
            self.broken(at, "", &heard, format!("expected a count, got {} {}", page.status, page.location()));
            return None;
        };
        let wrong = self.stays[at].problem(&page);
        if wrong.is_some() {
            // Told once.
            self.stays[at].who =
                signed_in_as(&page).map_or(Who::Nobody, |name| Who::Account(name.to_owned()));
        }
        for problem in wrong.into_iter().chain(self.stays[at].count(shown)) {
            self.broken(at, "", &heard, problem);
        }
        Some((heard, page))
    }

    /// Asks for the profile, of this process if there is one.
    fn look_at_profile(&mut self, at: usize, process: Option<usize>) {
        let request = Request { realm: self.stays[at].realm, page: "/profile", fields: None };
        let heard = match process {
            Some(process) => self.asker.ask_at(process, &mut self.jar, &request),
            None => self.asker.ask(&mut self.jar, &request),
        };
        let Some(page) = &heard.answer else { return };
        let is_right = match &self.stays[at].who {
            Who::Account(name) => page.status == 200 && page.output("username") == Some(name),
            Who::Nobody => self.leads_to_login(at, page),
            Who::Unsure(_) => page.status == 200 || self.leads_to_login(at, page),
        };
        if !is_right {
            self.broken(at, "/profile", &heard, self.expected(at, page));
        }
    }

    /// Asks for a page that takes a password given within the last ten minutes.
    fn open_protected_page(&mut self, at: usize) {
        let page = "/password";
        let heard = self.ask(at, page, None);
        let Some(answer) = &heard.answer else { return };
        let to_confirm = format!("{}/confirm?", self.stays[at].realm);
        match &self.stays[at].who {
            Who::Account(_) if answer.status == 200 => {}
            Who::Account(name) if answer.location().starts_with(&to_confirm) => {
                self.confirm(at, name.clone());
            }
            Who::Account(_) => self.broken(at, page, &heard, self.expected(at, answer)),
            Who::Nobody if self.leads_to_login(at, answer) => {}
            Who::Nobody => self.broken(at, page, &heard, self.expected(at, answer)),
            Who::Unsure(_) => {}
        }
    }

    /// Sends a copy of a cookie whose session has ended.
    fn replay(&mut self) {
        if let Some(copy) = self.run.copies.any(&mut self.asker.dice) {
            let process = self.asker.dice.below(PROCESSES);
            self.replay_at(process, copy);
        }
    }

    fn replay_at(&mut self, process: usize, mut copy: Copy) {
        let request = Request { realm: copy.realm, page: "/profile", fields: None };
        let heard = self.asker.ask_at(process, &mut copy.jar, &request);
        let Some(page) = &heard.answer else { return };
        if !heard.keys.open(copy.key) {
            // Dead with its key, whatever the store or the ledger knows.
            return;
        }
        self.asker.tally.replays += 1;
        if leads_to_login(copy.realm, page) {
            return;
        }
        let after = heard.asked.saturating_sub(copy.ended);
        if copy.may_open(heard.process, heard.asked, &self.run.outages) {
            self.asker.tally.opened += 1;
            self.asker.tally.opened_after = self.asker.tally.opened_after.max(after);
        } else {
            let Copy { process, what, .. } = copy;
            let after = after.as_secs_f64();
            let got = format!(
                "a copy from before the {what} opens {after:.2} s after process {process} acknowledged it: {} as {:?}",
                page.status,
                page.output("username")
            );
            self.asker.broken(heard.process, &request, got);
        }
    }

    /// Looks at every process whether it knows what was acknowledged, and tries this visitor's share of the copies.
    /// Returns what the visitor has done meanwhile.
    pub fn audited(mut self, visitors: usize) -> Tally {
        // Not everybody at the same one first.
        for number in self.number..self.number + PROCESSES {
            let process = number % PROCESSES;
            for at in 0..REALMS.len() {
                self.look_at_profile(at, Some(process));
            }
            for copy in self.run.copies.each(self.number, visitors) {
                self.replay_at(process, copy);
            }
        }
        self.asker.tally
    }

    pub(super) fn ask(&mut self, at: usize, page: &str, fields: Option<&[(&str, &str)]>) -> Heard {
        self.asker.ask(&mut self.jar, &Request { realm: self.stays[at].realm, page, fields })
    }

    pub(super) fn broken(&self, at: usize, page: &str, heard: &Heard, what: impl Display) {
        let request = Request { realm: self.stays[at].realm, page, fields: None };
        self.asker.broken(heard.process, &request, what);
    }

    pub(super) fn leads_to_login(&self, at: usize, page: &Answer) -> bool {
        leads_to_login(self.stays[at].realm, page)
    }

    fn expected(&self, at: usize, page: &Answer) -> String {
        let (status, location) = (page.status, page.location());
        format!("expected what {:?} gets, got {status} {location}", self.stays[at].who)
    }
}

/// Whether this is the answer to somebody who is not signed in and asks for a page of their own.
fn leads_to_login(realm: &str, page: &Answer) -> bool {
    page.status == 303 && page.location().starts_with(&format!("{realm}/login"))
}

//! What a visitor sends: to sign in and out, and to give the password again.

use world::{Answer, Jar, PASSWORD};

use crate::asker::Heard;
use crate::copies::Copy;
use crate::metrics::Deed;
use crate::settings::{STATELESS, cookie_of};
use crate::stay::{Goal, Who, signed_in_as};
use crate::visitor::Visitor;

impl Visitor<'_> {
    /// Makes a new account, and is signed in with it.
    pub(super) fn register(&mut self, at: usize) {
        self.accounts += 1;
        self.register_as(at, format!("visitor {} {}", self.number, self.accounts));
    }

    /// Registers this account, perhaps for the second time, since the first answer was lost.
    pub(super) fn register_as(&mut self, at: usize, account: String) {
        let fields = [("username", &*account), ("password", PASSWORD)];
        let Some(heard) = self.fill_in(at, "/register", &fields) else { return };
        if self.signed_in(at, "/register", &heard, &account, Goal::Register(account.clone())) {
            self.asker.tally.accounts += 1;
            self.account = account;
        }
    }

    pub(super) fn sign_in(&mut self, at: usize) {
        let account = self.account.clone();
        let fields = [("username", &*account), ("password", PASSWORD)];
        let Some(heard) = self.fill_in(at, "/login", &fields) else { return };
        if self.signed_in(at, "/login", &heard, &account, Goal::SignIn) {
            self.asker.tally.sign_ins += 1;
        }
    }

    /// Takes down what became of a sign-in.
    fn signed_in(&mut self, at: usize, page: &str, heard: &Heard, account: &str, goal: Goal) -> bool {
        let realm = self.stays[at].realm;
        let is_acknowledged = leads_to(heard, realm);
        self.run.site.seen(heard.process).add(realm, Deed::SignIn, is_acknowledged);
        if is_acknowledged {
            self.stays[at].who = Who::Account(account.to_owned());
        } else {
            self.refused(at, page, heard);
            self.unsure(at, goal);
        }
        is_acknowledged
    }

    /// Signs in with another password.
    pub(super) fn mistype(&mut self, at: usize) {
        let account = self.account.clone();
        let fields = [("username", &*account), ("password", "incorrect horse battery")];
        let Some(heard) = self.fill_in(at, "/login", &fields) else { return };
        match &heard.answer {
            Some(answer) if ![401, 429].contains(&answer.status) => {
                self.broken(at, "/login", &heard, format!("expected a refusal, got {}", answer.status));
            }
            _ => self.asker.tally.refusals += 1,
        }
    }

    /// Signs out, perhaps for the second time, since the first answer was lost.
    pub(super) fn sign_out(&mut self, at: usize, account: String) {
        let is_repeated = matches!(self.stays[at].who, Who::Unsure(_));
        let realm = self.stays[at].realm;
        let before = self.jar.only(&cookie_of(realm));
        let Some((heard, page)) = self.visit(at) else { return };
        let (jar, what) = (self.jar.only(&cookie_of(realm)), "logout");
        if signed_in_as(&page).is_none() {
            // The lost answer was that of a logout. (If nothing was lost, the visit has told.)
            self.stays[at].who = Who::Nobody;
            // A logout that an outage answers with a 503 takes the cookie away, and says that a copy lives on.
            if before.get(&cookie_of(realm)).is_some() {
                self.keep(at, before, what, &heard);
            }
            return;
        }
        let heard = self.ask(at, "/logout", Some(&[("csrf_token", &page.token())]));
        let is_acknowledged = leads_to(&heard, &format!("{realm}/signed-out"));
        // Signing out of a session that has ended is acknowledged, and not counted.
        let is_counted = is_acknowledged && !is_repeated;
        self.run.site.seen(heard.process).add(realm, Deed::SignOut, is_counted);
        if is_acknowledged {
            self.asker.tally.sign_outs += 1;
            self.stays[at].who = Who::Nobody;
            self.stays[at].visits = Some(0..=0);
            self.keep(at, jar, what, &heard);
        } else {
            self.refused(at, "/logout", &heard);
            self.unsure(at, Goal::SignOut(account));
        }
    }

    /// Gives the password again: the session gets a new id.
    pub(super) fn confirm(&mut self, at: usize, account: String) {
        let realm = self.stays[at].realm;
        let jar = self.jar.only(&cookie_of(realm));
        let Some(heard) = self.fill_in(at, "/confirm", &[("password", PASSWORD)]) else { return };
        let is_acknowledged = leads_to(&heard, realm);
        self.run.site.seen(heard.process).add(realm, Deed::Confirmation, is_acknowledged);
        if is_acknowledged {
            self.asker.tally.confirmations += 1;
            self.stays[at].who = Who::Account(account);
            self.keep(at, jar, "confirmation", &heard);
        } else if !heard.answer.as_ref().is_some_and(|answer| self.is_out(at, answer)) {
            self.refused(at, "/confirm", &heard);
            self.unsure(at, Goal::Confirm(account));
        }
    }

    /// Signs in, since a confirmation that was done may have left only a dead cookie; or confirms once more where the
    /// visitor is still signed in.
    pub(super) fn confirm_again(&mut self, at: usize, account: String) {
        let realm = self.stays[at].realm;
        let mut heard = self.ask(at, "/login", None);
        let Some(form) = heard.answer.take() else { return };
        if form.location() == format!("{realm}/profile") {
            return self.confirm(at, account);
        }
        if form.status != 200 {
            return self.broken(at, "/login", &heard, format!("expected a form, got {}", form.status));
        }
        let token = form.token();
        let fields = [("csrf_token", &*token), ("username", &*account), ("password", PASSWORD)];
        let heard = self.ask(at, "/login", Some(&fields));
        // A process that takes the visitor for signed in counts it as a confirmation.
        for deed in [Deed::SignIn, Deed::Confirmation] {
            self.run.site.seen(heard.process).add(realm, deed, false);
        }
        if leads_to(&heard, realm) {
            self.asker.tally.outs += 1;
            self.stays[at].who = Who::Account(account);
        } else {
            self.refused(at, "/login", &heard);
        }
    }

    /// Whether this answer is that of a process which knows of the confirmation whose answer was lost.
    fn is_out(&self, at: usize, answer: &Answer) -> bool {
        matches!(self.stays[at].who, Who::Unsure(Goal::Confirm(_))) && self.leads_to_login(at, answer)
    }

    /// Asks for a form and sends it. `None` if there was no form to fill in.
    fn fill_in(&mut self, at: usize, page: &str, fields: &[(&str, &str)]) -> Option<Heard> {
        let mut heard = self.ask(at, page, None);
        let form = heard.answer.take()?;
        if self.is_out(at, &form) {
            return None;
        }
        if form.status != 200 {
            let got = format!("expected a form, got {} {}", form.status, form.location());
            self.broken(at, page, &heard, got);
            return None;
        }
        let token = form.token();
        let fields = [&[("csrf_token", &*token)], fields].concat();
        Some(self.ask(at, page, Some(&fields)))
    }

    /// Tells of an answer that is not the one to a form that was sent as it should be.
    fn refused(&self, at: usize, page: &str, heard: &Heard) {
        if let Some(answer) = &heard.answer {
            let got = format!("a form was not taken: {} {}", answer.status, answer.location());
            self.broken(at, page, heard, got);
        }
    }

    fn unsure(&mut self, at: usize, goal: Goal) {
        self.stays[at].who = Who::Unsure(goal);
        self.stays[at].visits = None;
    }

    /// Keeps a copy of the cookie of a session that this answer has ended. One of a cookie alone opens it until it
    /// expires: the docs say so.
    fn keep(&self, at: usize, jar: Jar, what: &'static str, heard: &Heard) {
        let realm = self.stays[at].realm;
        if realm == STATELESS {
            return;
        }
        let Some(key) = self.run.keyholders.sealed_by(realm, &jar) else {
            return self.broken(at, "", heard, format!("no key opens the cookie from before the {what}"));
        };
        let (process, ended) = (heard.process, heard.answered);
        self.run.copies.keep(Copy { jar, key, realm, what, process, ended });
    }
}

fn leads_to(heard: &Heard, path: &str) -> bool {
    heard.answer.as_ref().is_some_and(|answer: &Answer| answer.status == 303 && answer.location() == path)
}

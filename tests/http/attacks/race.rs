//! One token in 50 forms at once: what may happen once happens once, and nothing fails.

use std::sync::Barrier;
use std::thread;

use world::{Answer, Jar, PASSWORD, Server};

use super::site::Site;
use crate::database::lines;
use crate::routes::REALMS;

const NEW_PASSWORD: &str = "another battery staple";

/// Sends one form 50 times at once, as one browser with two tabs would.
fn at_once(server: &Server, jar: &Jar, path: &str, fields: &[(&str, &str)]) -> Vec<Answer> {
    let barrier = Barrier::new(50);
    thread::scope(|scope| {
        let send = |_| {
            scope.spawn(|| {
                barrier.wait();
                server.post(&mut jar.clone(), path, fields)
            })
        };
        let all: Vec<_> = (0..50).map(send).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[test]
fn of_50_registrations_at_once_one_makes_the_account() {
    let site = Site::open();
    let (mut jar, path) = (Jar::default(), "/revocable/register");
    let token = site.server.get(&mut jar, path).token();
    let fields = [("csrf_token", &*token), ("username", "bob"), ("password", PASSWORD)];
    let answers = at_once(&site.server, &jar, path, &fields);
    assert_eq!(count(&answers, 303), 50, "a form that is sent again signs in too");
    let query = "SELECT CAST(count(*) AS TEXT) FROM accounts WHERE name = 'bob'";
    assert_eq!(lines(&site.server, query), ["1"]);
    assert_eq!(site.signed_in_as(&site.alice), ["alice"; 3]);
}

#[test]
fn of_50_sign_outs_at_once_the_session_is_over() {
    let site = Site::open();
    for realm in REALMS {
        let mut jar = site.mallory.clone();
        let token = site.server.get(&mut jar, realm).token();
        let answers = at_once(&site.server, &jar, &format!("{realm}/logout"), &[("csrf_token", &token)]);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert!(statuses.iter().all(|status| [303, 403].contains(status)), "{realm}: {statuses:?}");
        assert!(count(&answers, 303) > 0, "{realm}");
        let is_over = site.server.get(&mut jar, &format!("{realm}/profile")).status == 303;
        assert_eq!(is_over, realm != "/stateless", "{realm}");
    }
    assert_eq!(site.signed_in_as(&site.alice), ["alice"; 3]);
}

#[test]
fn of_50_changes_of_a_password_at_once_one_is_made_and_each_answer_says_so() {
    let site = Site::open();
    let (mut current, mut new) = (PASSWORD, NEW_PASSWORD);
    for realm in REALMS {
        let mut jar = Jar::default();
        let login = format!("{realm}/login");
        let token = site.server.get(&mut jar, &login).token();
        let fields = [("csrf_token", &*token), ("username", "mallory"), ("password", current)];
        site.server.post(&mut jar, &login, &fields).leads_to(realm);
        let path = format!("{realm}/password");
        let (token, since) = (site.server.get(&mut jar, &path).token(), stamp(&site.server));
        let before = changes(&site.server);
        let fields = [
            ("csrf_token", &*token),
            ("username", "mallory"),
            ("since", &since),
            ("current_password", current),
            ("new_password", new),
        ];
        let answers = at_once(&site.server, &jar, &path, &fields);
        assert_eq!(changes(&site.server), before + 1, "{realm}");
        for answer in answers {
            assert_eq!(answer.location(), format!("{realm}/profile"), "{}", answer.body);
        }
        (current, new) = (new, current);
    }
    assert_eq!(site.signed_in_as(&site.alice), ["alice"; 3]);
    assert!(site.signed_in_as(&site.mallory).is_empty(), "those of before the changes have ended");
}

/// The number that another password of mallory's gives the account, as the form has it.
fn stamp(server: &Server) -> String {
    lines(server, "SELECT CAST(stamp AS TEXT) FROM accounts WHERE name = 'mallory'").remove(0)
}

/// How many changes of a password the log has.
fn changes(server: &Server) -> usize {
    server.log().matches("event=password_changed").count()
}

#[test]
fn of_50_deletions_at_once_one_account_is_gone() {
    let site = Site::open();
    for (n, realm) in REALMS.into_iter().enumerate() {
        let name = format!("carol {n}");
        let mut jar = site.server.register(&name);
        if realm != "/stateless" {
            site.server.sign_in(&mut jar, &format!("{realm}/login"), &name).leads_to(realm);
        }
        let path = format!("{realm}/account/delete");
        let token = site.server.get(&mut jar, &path).token();
        let answers = at_once(&site.server, &jar, &path, &[("csrf_token", &token)]);
        assert!(count(&answers, 303) > 0 && answers.iter().all(|answer| answer.status < 500), "{realm}");
        assert!(site.signed_in_as(&jar).is_empty(), "{realm}");
    }
    let deleted = "SELECT CAST(count(*) AS TEXT) FROM deleted_accounts";
    assert_eq!(lines(&site.server, deleted), ["3"]);
    assert_eq!(site.signed_in_as(&site.alice), ["alice"; 3]);
}

//! A form with a password that is sent twice, or again after its answer was lost, does its work once and says so each time
//! (rule 14).

use world::{Answer, Jar, PASSWORD, Server, program};

const REALMS: [&str; 3] = ["/stateless", "/revocable", "/stateful"];
const NEW_PASSWORD: &str = "another lighthouse keeper";

/// The fields of the form of a page as it came: those that are filled in already.
fn filled_in(page: &Answer) -> Vec<(String, String)> {
    let (_, main) = page.body.split_once("<main").unwrap();
    let inputs = main.split("<input ").skip(1).filter_map(|input| {
        let (name, rest) = input.split_once("name=\"")?.1.split_once('"')?;
        let value = rest.split_once('>')?.0.split_once("value=\"")?.1.split_once('"')?.0;
        Some((name.to_owned(), value.to_owned()))
    });
    inputs.collect()
}

/// Sends the form of a page twice with the same cookies, and returns what each answer made of them.
fn send_twice(server: &Server, jar: &Jar, path: &str, typed: &[(&str, &str)]) -> [(Jar, Answer); 2] {
    let mut jar = jar.clone();
    let form = filled_in(&server.get(&mut jar, path));
    let fields: Vec<(&str, &str)> =
        form.iter().map(|(name, value)| (&**name, &**value)).chain(typed.iter().copied()).collect();
    [(); 2].map(|()| {
        let mut jar = jar.clone();
        let answer = server.post(&mut jar, path.split('?').next().unwrap(), &fields);
        (jar, answer)
    })
}

fn alice(server: &Server, realm: &str, password: &str) -> Jar {
    let (mut jar, login) = (Jar::default(), format!("{realm}/login"));
    let token = server.get(&mut jar, &login).token();
    let fields = [("csrf_token", &*token), ("username", "alice"), ("password", password)];
    server.post(&mut jar, &login, &fields).leads_to(realm);
    jar
}

fn is_in(server: &Server, jar: &Jar, realm: &str) -> bool {
    server.get(&mut jar.clone(), &format!("{realm}/profile")).output("username") == Some("alice")
}

#[test]
fn rule_14_a_confirmation_that_is_sent_twice_leads_on_and_keeps_its_sender_signed_in() {
    let server = program!().start(&[]);
    server.register("alice");
    for realm in REALMS {
        let jar = alice(&server, realm, PASSWORD);
        let next = format!("{realm}/account/delete");
        let page = format!("{realm}/confirm?next={next}");
        for (jar, answer) in send_twice(&server, &jar, &page, &[("password", PASSWORD)]) {
            answer.leads_to(&next);
            assert!(is_in(&server, &jar, realm), "{realm}");
        }
    }
}

#[test]
fn rule_14_a_password_change_that_is_sent_twice_is_made_once_and_both_answers_say_so() {
    let server = program!().start(&[]);
    server.register("alice");
    let (mut old, mut new) = (PASSWORD, NEW_PASSWORD);
    for realm in REALMS {
        let jar = alice(&server, realm, old);
        let typed = [("current_password", old), ("new_password", new)];
        for (mut jar, answer) in send_twice(&server, &jar, &format!("{realm}/password"), &typed) {
            answer.leads_to(&format!("{realm}/profile"));
            let notice = server.get(&mut jar, answer.location()).notice().map(str::to_owned);
            assert!(
                notice.is_some_and(|notice| notice.starts_with("Your password has been changed.")),
                "{realm}"
            );
            assert!(is_in(&server, &jar, realm), "{realm}");
        }
        (old, new) = (new, old);
    }
}

#[test]
fn of_a_form_that_is_sent_twice_a_wrong_password_signs_nobody_in() {
    let server = program!().start(&[]);
    server.register("alice");
    for realm in &REALMS[1..] {
        let jar = alice(&server, realm, PASSWORD);
        let mut renewed = jar.clone();
        let path = format!("{realm}/confirm");
        let form = filled_in(&server.get(&mut renewed, &path));
        let send = |jar: &mut Jar, password| {
            let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
            server.post(jar, &path, &[&fields[..], &[("password", password)]].concat())
        };
        send(&mut renewed, PASSWORD).leads_to(realm);
        let mut superseded = jar.clone();
        let refused = send(&mut superseded, "not the password");
        assert!(refused.location().starts_with(&format!("{realm}/login")), "{realm}: {}", refused.status);
        assert!(!is_in(&server, &superseded, realm), "{realm}");
        assert!(is_in(&server, &renewed, realm), "{realm}");
    }
}

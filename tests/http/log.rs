//! What the log says of security, and what it keeps to itself.

use serde_json::Value;
use world::{COOKIE, Jar, PASSWORD, Server, encode, program};

use crate::database;

/// The level of a release build.
const CRITICAL: (&str, &str) = ("ROCKET_LOG_LEVEL", "critical");

fn try_to_sign_in(server: &Server, username: &str, password: &str) {
    let mut jar = Jar::default();
    let csrf_token = server.get(&mut jar, "/stateless/login").token();
    let fields = [("csrf_token", &*csrf_token), ("username", username), ("password", password)];
    assert_eq!(server.post(&mut jar, "/stateless/login", &fields).status, 401);
}

#[test]
fn what_concerns_security_is_logged_at_the_level_of_a_release_build() {
    let server = program!().start(&[CRITICAL]);
    let mut jar = server.register("alice");
    let csrf_token = server.get(&mut jar, "/stateless").token();
    server
        .post(&mut jar, "/stateless/logout", &[("csrf_token", &csrf_token)])
        .leads_to("/stateless/signed-out");
    server.sign_in(&mut jar, "/stateless/login", "alice").leads_to("/stateless");
    try_to_sign_in(&server, "alice", "wrong");
    server.post(&mut jar, "/stateless/logout", &[("csrf_token", "forged")]);
    server.get_with_cookies("/stateless", format!("{COOKIE}=forged").as_bytes());
    let log = server.log();
    for said in [
        "event=registered",
        "event=signed_in",
        "event=ended realm=/stateless reason=visitor session=",
        "event=sign_in_refused",
        "event=form_refused realm=/stateless reason=token",
        "event=refused realm=/stateless reason=malformed",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    let requests = log.split_once("has launched").unwrap().1;
    assert!(!requests.contains("GET /"), "Rocket's own lines are those of its level: {log}");
    assert!(!log.contains(jar.value().unwrap()) && !log.contains(PASSWORD), "{log}");
}

#[test]
fn at_the_level_off_nothing_is_logged() {
    let directory = tempfile::tempdir().unwrap();
    // No machine has this address, so the program ends.
    let mut command = program!().command(directory.path());
    let output = command.env("ROCKET_LOG_LEVEL", "off").env("ROCKET_ADDRESS", "192.0.2.1").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn a_refused_sign_in_is_logged_with_a_name_only_if_an_account_has_it() {
    let server = program!().start(&[CRITICAL]);
    server.register("\"alice\"");
    let long = "x".repeat(64);
    server.register(&long);
    try_to_sign_in(&server, "\"ALICE\"", "wrong");
    try_to_sign_in(&server, &long, "wrong");
    let endless = "y".repeat(10_000);
    for not_a_name in [PASSWORD, "x\nFORGED LINE\r\nFORGED LINE", &endless, &endless] {
        try_to_sign_in(&server, not_a_name, "wrong");
    }
    let log = server.log();
    let refused: Vec<&str> = log.lines().filter(|line| line.contains("event=sign_in_refused")).collect();
    assert_eq!(refused.len(), 6, "{log}");
    assert!(refused[0].ends_with(r#" reason=wrong_password name="\"alice\"""#), "{}", refused[0]);
    assert!(refused[1].ends_with(&format!(" reason=wrong_password name={long}")), "{}", refused[1]);
    let hash_of =
        |line: &&'_ str| line.split_once(" reason=unknown_name name_hash=").expect("one").1.to_owned();
    let hashes: Vec<String> = refused[2..].iter().map(hash_of).collect();
    assert!(hashes.iter().all(|hash| hash.len() == 16), "{log}");
    assert_eq!(hashes[2], hashes[3], "the same name again");
    assert_ne!(hashes[0], hashes[1]);
    assert!(!log.contains(PASSWORD) && !log.contains("FORGED") && !log.contains("yyy"), "{log}");
}

#[test]
fn accounts_that_do_not_answer_are_an_event_of_the_request() {
    let server = program!().start(&[CRITICAL]);
    let mut jar = server.register("alice");
    database::execute(&server, "ALTER TABLE accounts RENAME TO accounts_elsewhere");
    assert_eq!(server.get(&mut jar, "/stateless/profile").status, 503);
    let token = server.get(&mut jar, "/revocable/login").token();
    let fields = [("csrf_token", &*token), ("username", "alice"), ("password", PASSWORD)];
    assert_eq!(server.post(&mut jar, "/revocable/login", &fields).status, 503);
    let log = server.log();
    let faults: Vec<&str> = log.lines().filter(|line| line.contains(" event=accounts_fault ")).collect();
    assert_eq!(faults.len(), 2, "{log}");
    for fault in faults {
        assert!(fault.contains(" level=error ") && fault.contains(" request="), "{fault}");
        assert!(fault.contains(" why=\"the database of accounts: "), "{fault}");
    }
}

#[test]
fn a_level_that_prints_passwords_and_cookies_refuses_the_launch() {
    let refusal = program!().refusal(&[("ROCKET_LOG_LEVEL", "debug")]);
    assert!(refusal.contains("password") && refusal.contains("allow_secret_logs = true"), "{refusal}");
    let refusal = program!().refusal(&[("ROCKET_ALLOW_SECRET_LOGS", "\"perhaps\"")]);
    assert!(refusal.contains("allow_secret_logs") && refusal.contains("true or false"), "{refusal}");
    let server = program!().start(&[("ROCKET_LOG_LEVEL", "debug"), ("ROCKET_ALLOW_SECRET_LOGS", "true")]);
    let jar = server.register("alice");
    server.get(&mut jar.clone(), "/stateless");
    let log = server.log();
    // What the refusal says is true. If it no longer is, the level can be allowed.
    assert!(log.contains(&encode(PASSWORD)) && log.contains(jar.value().unwrap()), "{log}");
}

#[test]
fn with_the_format_json_every_line_is_an_object_and_those_of_one_request_have_its_name() {
    let server = program!().start(&[CRITICAL, ("ROCKET_LOG_FORMAT", "json")]);
    server.register("alice");
    let log = server.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().all(|line| line["time"].is_string() && line["level"].is_string()), "{log}");
    let of = |event: &str| lines.iter().find(|line| line["event"] == event).expect(event);
    let (registered, signed_in) = (of("registered"), of("signed_in"));
    assert_eq!(registered["request"], signed_in["request"]);
    assert_eq!(registered["account"], signed_in["account"]);
    assert_eq!(signed_in["before"], of("opened")["session"]);
    assert!(lines.iter().any(|line| line["message"].as_str().is_some_and(|said| said.contains("launched"))));
}

#[test]
fn a_format_that_does_not_exist_refuses_the_launch() {
    let refusal = program!().refusal(&[("ROCKET_LOG_FORMAT", "xml")]);
    assert!(refusal.contains("log_format") && refusal.contains("xml"), "{refusal}");
    assert!(refusal.contains("\"text\" or \"json\""), "{refusal}");
}
